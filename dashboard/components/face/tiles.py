"""The three tiles: gap, worst-off group and accuracy, before and at every stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import core
from core.metrics import METRICS
from core.words import NOTHING, count, number, percent
from dashboard import meaning
from dashboard.components.face.moment import Moment
from dashboard.components.face.verdicts import Said, Tone

CLOSED, LITTLE = 0.999, 0.0005
"""Of the gap that counts as all of it; changes smaller than this share are none."""
ALLOWED = 0.01
"""By how much accuracy may fall before it is a price, as for the guardrails."""


@dataclass(frozen=True)
class Stop:
    """One place of the slider: so many records gone, the model then, and the verdict on it.

    Parameters
    ----------
    size : int
        Records that go.
    before, moment : Moment
        Without and with that.
    said : Said
        The verdict.
    mode : {"opened", "preview", "now"}
        Whether it is the model as opened, one that is predicted, or the one in force.
    """

    size: int
    before: Moment
    moment: Moment
    said: Said
    mode: Literal["opened", "preview", "now"] = "preview"

    @property
    def shift(self) -> bool:
        """Whether there is a change to show."""
        return self.mode != "opened"


def tiles(stops: Sequence[Stop], roles: core.Roles) -> list[dict[str, Any]]:
    """Return what the tiles show.

    Parameters
    ----------
    stops : sequence of Stop
    roles : Roles

    Returns
    -------
    list of dict
        Of each tile its ``unit`` and, for every stop, ``stops``: label, value before, value, tone, change in words, small print.
    """
    return [
        {"unit": unit(stops[0].moment.metric), "stops": [_gap(stop, roles) for stop in stops]},
        {"unit": "", "stops": [_worst(stop, roles) for stop in stops]},
        {"unit": "", "stops": [_accuracy(stop) for stop in stops]},
    ]


def gap_in_points(value: float, metric: str, digits: int = 1) -> str:
    """Return a gap as people read it: a difference in points, a ratio as it is.

    Examples
    --------
    >>> gap_in_points(0.082, "equal_opportunity_difference"), gap_in_points(0.82, "demographic_parity_ratio")
    ('8.2', '0.82')
    """
    return number(100 * value, digits) if METRICS[metric].kind == "difference" else number(value, 2)


def unit(metric: str) -> str:
    """Return the unit of `gap_in_points`."""
    return "points" if METRICS[metric].kind == "difference" else ""


def _toned(better: float, tone: Tone) -> tuple[str, str]:
    """Return the colour and the word of a change, `better` in shares.

    On a bad verdict nothing is celebrated.
    """
    if abs(better) < LITTLE:
        return "flat", ""
    if better < 0:
        return "bad", "worse"
    return ("good" if tone == "good" else "flat"), "better"


def _arrow(change: float) -> str:
    return (
        ""
        if abs(change) < LITTLE
        else "\N{BLACK UP-POINTING TRIANGLE}"
        if change > 0
        else "\N{BLACK DOWN-POINTING TRIANGLE}"
    )


def _changed(change: float, better: float, tone: Tone, words: str) -> tuple[str, str]:
    color, word = _toned(better, tone)
    if not word:
        return "flat", "unchanged"
    return color, f"{_arrow(change)} {word}: {words}"


def _gap(stop: Stop, roles: core.Roles) -> list[str]:
    before, now = stop.before, stop.moment
    label, was = meaning.label(now.metric, roles), gap_in_points(before.gap, now.metric)
    ends = (
        f"95%: {gap_in_points(now.low, now.metric)} to {gap_in_points(now.high, now.metric)}"
        if now.low == now.low
        else ""
    )
    ahead = f"{now.best} ahead" if now.best and not METRICS[now.metric].is_level(now.gap) else "level"
    small = " \N{MIDDLE DOT} ".join(filter(None, (ahead, ends)))
    if not stop.shift or not (now.defined and before.defined):
        return [label, was, gap_in_points(now.gap, now.metric), "flat", "", small]
    better = before.short - now.short
    words = signed_points(now.gap - before.gap, now.metric)
    if better > 0 and before.short > LITTLE:
        share = better / before.short
        words = "closed" if share > CLOSED else f"closed by {percent(share, 0)}"
    return [
        label,
        was,
        gap_in_points(now.gap, now.metric),
        *_changed(now.gap - before.gap, better, stop.said.tone, words),
        small,
    ]


def signed_points(change: float, metric: str) -> str:
    """Return a change of a gap with its sign and unit.

    Examples
    --------
    >>> signed_points(0.09, "equal_opportunity_difference"), signed_points(0.09, "demographic_parity_ratio")
    ('+9.0 points', '+0.09')
    """
    text = gap_in_points(change, metric)
    return f"{'+' if change > 0 else ''}{text} {unit(metric)}".rstrip()


def _worst(stop: Stop, roles: core.Roles) -> list[str]:
    metric, level, old = METRICS[stop.moment.metric], stop.moment.worst_level, stop.before.worst_level
    bad, _ = meaning.ends(metric.rate, roles)
    if level is None:
        return [f"{bad.capitalize()} group", NOTHING, NOTHING, "flat", "", "undefined in every group"]
    label = f"{bad.capitalize()}: {level.group}"
    small = level.counted
    if not stop.shift or old is None:
        return [label, level.shown, level.shown, "flat", "", small]
    if old.group != level.group:
        small = f"before, {old.group} was \N{MIDDLE DOT} {small}"
    change = level.rate - old.rate
    up = METRICS[metric.rate].worst_end(pos_is_favorable=not meaning.scored_is_bad(roles)) == "low"
    better = change if up else -change
    return [label, old.shown, level.shown, *_changed(change, better, stop.said.tone, signed_share(change)), small]


def signed_share(change: float) -> str:
    """Return a change of a share in points, with its sign.

    Examples
    --------
    >>> signed_share(0.078)
    '+7.8 points'
    """
    return f"{'+' if change > 0 else ''}{number(100 * change, 1)} points"


def _accuracy(stop: Stop) -> list[str]:
    now, was = stop.moment, percent(stop.before.accuracy)
    ends = f"95%: {number(100 * now.accuracy_low, 1)} to {percent(now.accuracy_high)}"
    small = f"{ends} \N{MIDDLE DOT} {count(now.n, 'row')} searched"
    if not stop.shift:
        return ["Accuracy", was, percent(now.accuracy), "flat", "", small]
    change = now.accuracy - stop.before.accuracy
    return [
        "Accuracy",
        was,
        percent(now.accuracy),
        *_changed(change, change, stop.said.tone, signed_share(change)),
        small,
    ]
