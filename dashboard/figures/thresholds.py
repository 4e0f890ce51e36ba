"""What every decision threshold would give."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.figures import look
from dashboard.words import markup, number


def sweep(table: pd.DataFrame, now: float, metric: str, unit: str) -> go.Figure:
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
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.07)
    facts = table[["flagged", "accuracy", "false_positives", "false_negatives"]]
    hover = (
        "threshold %{x:.3f}<br>%{customdata[0]:.1%} flagged, accuracy %{customdata[1]:.3f}"
        "<br>%{customdata[2]:,} false positives, %{customdata[3]:,} false negatives"
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
    figure.update_yaxes(title={"text": "cost of all errors"}, row=2, col=1, rangemode="tozero")
    return figure
