"""Figures of every decision threshold."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures import look
from core.words import markup, number

SPAN = 5.0
"""The axis of costs ends at so many times what errors cost at best or now: flagging everybody may cost a hundred times as much."""


def sweep(
    table: pd.DataFrame,
    now: float,
    metric: str,
    unit: str,
    errors: tuple[str, str] = ("false positive", "false negative"),
) -> go.Figure:
    """Draw the gap and the cost of errors over all thresholds, the one in force marked.

    Parameters
    ----------
    table : DataFrame
        Indexed by threshold, with ``flagged``, ``gap``, ``accuracy``, ``false_positives``, ``false_negatives`` and ``cost``.
    now : float
        The threshold in force.
    metric : str
        The gap in words.
    unit : str
        What a score is, for the axis.
    errors : tuple of str
        What ``false_positives`` and ``false_negatives`` are called, one of each.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.07)
    facts = table[["flagged", "accuracy", "false_positives", "false_negatives"]]
    hover = (
        "threshold %{x:.3f}<br>%{customdata[0]:.1%} flagged, accuracy %{customdata[1]:.3f}"
        f"<br>%{{customdata[2]:,}} {errors[0]}s, %{{customdata[3]:,}} {errors[1]}s"
    )
    figure.add_scatter(
        x=table.index,
        y=table["gap"],
        mode="lines",
        line={"color": look.color(0), "width": 2},
        customdata=facts,
        hovertemplate=f"{markup(metric)} %{{y:.3f}}<br>{hover}<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_scatter(
        x=table.index,
        y=table["cost"],
        mode="lines",
        line={"color": look.color(4), "width": 2, "dash": "dash"},
        customdata=facts,
        hovertemplate=f"cost %{{y:,.0f}}<br>{hover}<extra></extra>",
        row=2,
        col=1,
    )
    figure.add_vline(x=now, line={"color": look.GRAY, "width": 1.5, "dash": "dot"})
    cheapest = float(table["cost"].sort_values(kind="stable").index[0])
    title = f"Errors cost least at a threshold of {number(cheapest, 2)}; the one in force is {number(now, 2)}"
    look.finish(figure, title, "", "", height=460)
    figure.update_xaxes(title=None, row=1, col=1)
    figure.update_xaxes(title={"text": unit}, row=2, col=1)
    figure.update_yaxes(title={"text": f"{markup(metric)}"}, row=1, col=1, rangemode="tozero")
    figure.update_yaxes(title={"text": "cost of all errors"}, row=2, col=1, rangemode="tozero", tickformat=",~g")
    cost, top = table["cost"], SPAN * max(table["cost"].min(), _at(table["cost"], now))
    if 0 < top < cost.max():
        figure.update_yaxes(range=[0, top], row=2, col=1)
    return figure


def _at(cost: pd.Series[float], threshold: float) -> float:
    """Return the cost at the threshold tabled that is next to one."""
    return float(cost.iloc[int(abs(cost.index.to_numpy() - threshold).argmin())])
