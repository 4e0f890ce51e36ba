"""Charts of gaps: each with its interval and the threshold it is held against."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.figures import look
from core.words import markup

STYLES = {
    "inside": (look.color(0), "circle"),
    "outside": (look.ACCENT, "diamond"),
    "insufficient evidence": (look.GRAY, "circle-open"),
}
"""Colour and symbol of a verdict; what is open looks like what is inside, and its interval says the rest."""


def against_thresholds(table: pd.DataFrame, kind: str, unit: str) -> go.Figure:
    """Draw gaps with intervals, and a tick at each one's threshold.

    Parameters
    ----------
    table : DataFrame
        One row per gap, indexed by what to call it, with ``value``, ``low``, ``high``, ``threshold``, ``verdict``, ``formula`` and ``n``.
    kind : str
        What the gaps are called together: "differences" or "ratios".
    unit : str
        Title of the axis.
    """
    names = [markup(name) for name in table.index]
    outside = int((table["verdict"] == "outside").sum())
    figure = go.Figure()
    figure.add_scatter(
        x=table["value"],
        y=names,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": table["high"] - table["value"],
            "arrayminus": table["value"] - table["low"],
            "thickness": 2,
            "width": 5,
            "color": look.GRAY,
        },
        mode="markers",
        showlegend=False,
        marker={
            "size": 11,
            "color": [STYLES.get(verdict, STYLES["inside"])[0] for verdict in table["verdict"]],
            "symbol": [STYLES.get(verdict, STYLES["inside"])[1] for verdict in table["verdict"]],
        },
        customdata=table[["low", "high", "verdict", "formula", "n"]].map(
            lambda value: markup(value) if isinstance(value, str) else value
        ),
        hovertemplate="<b>%{y}</b><br>%{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f}): %{customdata[2]}"
        "<br>%{customdata[3]}<br>n = %{customdata[4]:,}<extra></extra>",
    )
    figure.add_scatter(
        x=table["threshold"],
        y=names,
        mode="markers",
        name="threshold",
        marker={"symbol": "line-ns-open", "size": 20, "line": {"width": 3}, "color": look.GRAY},
        hovertemplate="threshold %{x:.3f}<extra></extra>",
    )
    shown = {"outside": "outside", "inside": "inside or open"}
    unsure = int((table["verdict"] == "insufficient evidence").sum())
    for verdict, name in (shown | ({"insufficient evidence": "insufficient evidence"} if unsure else {})).items():
        color, symbol = STYLES[verdict]
        figure.add_scatter(
            x=[None],
            y=names[:1],
            hoverinfo="skip",
            mode="markers",
            name=name,
            marker={"size": 11, "color": color, "symbol": symbol},
        )
    if outside > 1:
        title = f"{outside} of {len(table)} {kind} lie beyond their threshold with their whole interval"
    else:
        title = f"{outside or 'None'} of {len(table)} {kind} lies beyond its threshold with its whole interval"
    title += f"; for {unsure} there is insufficient evidence" if unsure else ""
    look.finish(figure, title, unit, "", height=130 + 40 * len(table), names=("outside", "inside", "threshold"))
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    return figure
