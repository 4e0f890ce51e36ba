"""Charts of the report, drawn as SVG that stands in the page and needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from core.words import percent

WIDTH, NAMES, VALUES = 790, 285, 128
"""In pixels: the whole, room for names at the left, and for figures at the right."""
GRAY, BLUE, ORANGE, INK, FAINT = "#8a939b", "#2f7fb5", "#c2590f", "#1f2933", "#d5dae0"
STEP, LONGEST = 46, 42
LINE = Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="{}" stroke-width="{}"/>')
TEXT = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="{}" font-size="{}">{}</text>')
SVG = Markup(
    '<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg"><title>{}</title>{}</svg>'
)


@dataclass(frozen=True)
class Bar:
    """A group's rate before and after, with intervals.

    Parameters
    ----------
    name, n : str
        The group, and what stands under it.
    before, after : tuple of float or None
        Value, lower and upper end; None where there is none.
    """

    name: str
    n: str
    before: tuple[float | None, float | None, float | None]
    after: tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class ChangeMark:
    """A change with its interval, and which way it went in words.

    Parameters
    ----------
    name : str
    value, low, high : float or None
    direction : {"better", "worse", ""}
        Empty where the change may be chance.
    shown : str
        The figures as text.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    direction: str
    shown: str


def rate_bars(rows: Sequence[Bar], title: str) -> Markup:
    """Draw a rate of every group before and after, on a scale from 0 to 100%."""
    if not rows:
        return Markup("")
    height = STEP * len(rows) + 30
    parts = [_scale([0.0, 0.25, 0.5, 0.75, 1.0], height - 26, 0.0, 1.0, percent_digits=0)]
    for place, row in enumerate(rows):
        top = STEP * place + 6
        parts += [_text(NAMES - 10, top + 15, row.name, "end"), _text(NAMES - 10, top + 30, row.n, "end", GRAY, 11)]
        for shift, found, color in ((0, row.before, GRAY), (17, row.after, BLUE)):
            parts.append(_bar(top + shift, found, color))
    return _svg(parts, height, title)


def changes(rows: Sequence[ChangeMark], title: str) -> Markup:
    """Draw changes with their intervals around zero."""
    known = [abs(end) for row in rows for end in (row.value, row.low, row.high) if end is not None]
    if not known:
        return Markup("")
    most = max(0.01, *known) * 1.05
    height = 26 * len(rows) + 30
    parts = [_scale([-most, 0.0, most], height - 26, -most, most, percent_digits=1)]
    for place, row in enumerate(rows):
        y = 26 * place + 16
        color = {"better": BLUE, "worse": ORANGE}.get(row.direction, GRAY)
        parts.append(_text(NAMES - 10, y + 4, row.name, "end", size=11))
        if row.value is None:
            continue
        if row.low is not None and row.high is not None:
            parts.append(_line(_x(row.low, -most, most), y, _x(row.high, -most, most), y, color, 2))
        parts.append(
            Markup('<circle cx="{:.1f}" cy="{}" r="4" fill="{}"/>').format(_x(row.value, -most, most), y, color)
        )
        parts.append(_text(WIDTH - VALUES + 8, y + 4, f"{row.shown} {row.direction}".strip(), "start", size=11))
    return _svg(parts, height, title)


def _bar(top: float, found: tuple[float | None, float | None, float | None], color: str) -> Markup:
    value, low, high = found
    if value is None or math.isnan(value):
        return _text(NAMES + 4, top + 12, "not defined", "start", GRAY, 11)
    drawn = Markup('<rect x="{}" y="{}" width="{:.1f}" height="14" fill="{}"/>').format(
        NAMES, top, _x(value, 0.0, 1.0) - NAMES, color
    )
    if low is not None and high is not None:
        drawn += _line(_x(low, 0.0, 1.0), top + 7, _x(high, 0.0, 1.0), top + 7, INK, 1.5)
    between = "" if low is None or high is None else f" ({100 * low:.0f} to {100 * high:.0f})"
    return drawn + _text(WIDTH - VALUES + 8, top + 11, f"{percent(value)}{between}", "start", size=11)


def _scale(ticks: Sequence[float], bottom: float, low: float, high: float, *, percent_digits: int) -> Markup:
    parts = []
    for tick in ticks:
        x = _x(tick, low, high)
        parts.append(_line(x, 0, x, bottom, INK if tick == 0 else FAINT, 1))
        label = f"{100 * tick:+.{percent_digits}f}" if low < 0 and tick else f"{100 * tick:.0f}"
        parts.append(_text(x, bottom + 16, f"{label}%" if low >= 0 else f"{label} points", "middle", GRAY, 11))
    return Markup("").join(parts)


def _x(value: float, low: float, high: float) -> float:
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return NAMES + share * (WIDTH - NAMES - VALUES)


def _line(x: float, y: float, to_x: float, to_y: float, color: str, width: float) -> Markup:
    return LINE.format(x, y, to_x, to_y, color, width)


def _text(x: float, y: float, text: str, anchor: str, color: str = INK, size: int = 13) -> Markup:
    shown = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
    return TEXT.format(x, y, anchor, color, size, escape(shown))


def _svg(parts: Sequence[Markup], height: float, title: str) -> Markup:
    return SVG.format(WIDTH, height, title, title, Markup("").join(parts))
