"""Charts of scores: calibration and ROC of every group."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.figures import look
from core.words import markup


def calibration(table: pd.DataFrame, title: str) -> go.Figure:
    """Draw observed against predicted shares, one line per group.

    Parameters
    ----------
    table : DataFrame
        Columns ``group``, ``predicted``, ``observed``, ``low``, ``high`` and ``n``, one row per group and score bin.
    title : str
        The finding.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": look.FAINT, "dash": "dot"}, hoverinfo="skip", showlegend=False
    )
    names = list(dict.fromkeys(table["group"]))
    for i, group in enumerate(names):
        rows = table[table["group"] == group]
        figure.add_scatter(
            x=rows["predicted"],
            y=rows["observed"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["observed"],
                "arrayminus": rows["observed"] - rows["low"],
                "thickness": 1,
                "width": 3,
            },
            mode="lines+markers",
            name=markup(group),
            line={"color": look.color(i), "dash": look.dash(i), "width": 1.5},
            marker={"color": look.color(i), "symbol": look.symbol(i), "size": 8},
            customdata=rows[["n"]],
            hovertemplate=f"<b>{markup(group)}</b><br>score %{{x:.2f}}, observed %{{y:.2f}}<br>n = %{{customdata[0]:,}}<extra></extra>",
        )
    look.finish(figure, title, "mean score (0 to 1)", "observed share (0 to 1)", height=420, names=names)
    figure.update_yaxes(range=[-0.03, 1.03])
    figure.update_xaxes(range=[-0.03, 1.03])
    return figure


def roc(table: pd.DataFrame, areas: pd.Series[float], title: str) -> go.Figure:
    """Draw the ROC curve of every group.

    Parameters
    ----------
    table : DataFrame
        Columns ``group``, ``false_positive_rate``, ``true_positive_rate`` and ``threshold``.
    areas : Series
        ROC AUC by group.
    title : str
        The finding.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": look.FAINT, "dash": "dot"}, hoverinfo="skip", showlegend=False
    )
    names = list(dict.fromkeys(table["group"]))
    for i, group in enumerate(names):
        rows = table[table["group"] == group]
        figure.add_scatter(
            x=rows["false_positive_rate"],
            y=rows["true_positive_rate"],
            mode="lines",
            name=f"{markup(group)}, AUC {areas.get(group, float('nan')):.3f}",
            line={"color": look.color(i), "dash": look.dash(i), "width": 2},
            customdata=rows[["threshold"]],
            hovertemplate=f"<b>{markup(group)}</b><br>false positive rate %{{x:.3f}}<br>true positive rate %{{y:.3f}}"
            "<br>at score %{customdata[0]:.3f}<extra></extra>",
        )
    look.finish(figure, title, "false positive rate (0 to 1)", "true positive rate (0 to 1)", height=420, names=names)
    figure.update_yaxes(range=[-0.02, 1.02])
    figure.update_xaxes(range=[-0.02, 1.02])
    return figure
