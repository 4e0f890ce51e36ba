"""How every chart looks: colours and symbols of groups, title, axes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.graph_objects import Figure as Figure

from core.words import markup

COLORS = ("#3b8fc4", "#e0930a", "#16a37f", "#c573a4", "#dd6b2a", "#6bb8e6", "#9c8d1e", "#8a939b")
"""Okabe and Ito's palette, toned so that it stands out on white and on dark alike."""
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star", "triangle-down")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GRAY = "#8a939b"
FAINT = "rgba(138, 147, 155, 0.35)"
ACCENT = "#dd6b2a"


def color(i: int) -> str:
    """Return the colour of the i-th group."""
    return COLORS[i % len(COLORS)]


def symbol(i: int) -> str:
    """Return the symbol of the i-th group; with the colour it tells 64 groups apart."""
    return SYMBOLS[(i + i // len(COLORS)) % len(SYMBOLS)]


def dash(i: int) -> str:
    """Return the line style of the i-th group."""
    return DASHES[i % len(DASHES)]


def finish(
    figure: go.Figure, title: str, x: str, y: str, *, height: int = 340, names: Sequence[str] = (), wrap: int = 80
) -> go.Figure:
    """Give a figure its title, axes and margins.

    Parameters
    ----------
    figure : Figure
        Its traces are there already.
    title : str
        What the chart shows, as a sentence, not escaped; also kept as ``layout.meta``, for pages that set it as text.
    x, y : str
        Axis titles, with units; escaped already.
    height : int
        In pixels, without the title.
    names : sequence of str
        Names in the legend; none hides it.
    wrap : int
        Characters in a line of the title.
    """
    lines = textwrap.wrap(title, wrap) or [""]
    top = 34 if names else 12
    figure.update_layout(
        title={"text": "<br>".join(markup(line) for line in lines), "x": 0, "xref": "paper", "font": {"size": 15}},
        meta={"title": title, "top": top, "height": height},
        margin={"l": 8, "r": 12, "t": top + 30 + 20 * len(lines), "b": 8},
        height=height + 30 + 20 * len(lines),
        showlegend=bool(names),
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "title": {"text": ""}},
        hoverlabel={"align": "left"},
        dragmode=False,
    )
    figure.update_xaxes(title={"text": x, "standoff": 10}, automargin=True, zeroline=False)
    figure.update_yaxes(title={"text": y, "standoff": 10}, automargin=True, zeroline=False)
    return figure


def error(rows: pd.DataFrame, name: str, *, of: str = "") -> dict[str, object]:
    """Return error bars from ``<name>_low`` to ``<name>_high``.

    Where these are called otherwise, from ``<of>_low`` to ``<of>_high``.
    """
    ends = of or name
    return {
        "type": "data",
        "symmetric": False,
        "array": rows[f"{ends}_high"] - rows[name],
        "arrayminus": rows[name] - rows[f"{ends}_low"],
        "color": FAINT,
        "thickness": 1.5,
        "width": 4,
    }


def smallest_and_largest(column: pd.Series[Any]) -> tuple[str, float, str, float]:
    """Return the label and value of the smallest entry, then of the largest.

    NaN is passed over.

    Examples
    --------
    >>> smallest_and_largest(pd.Series([0.2, 0.9], index=["a", "b"]))
    ('a', 0.2, 'b', 0.9)
    """
    known = column.dropna().sort_values(kind="stable")
    return str(known.index[0]), float(known.iloc[0]), str(known.index[-1]), float(known.iloc[-1])
