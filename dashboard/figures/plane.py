"""The fairness-accuracy plane: every version so far, as a path."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures import look
from dashboard.words import count, markup, number, percent


def path(versions: pd.DataFrame, metric: str, utility: str, *, lower_is_fairer: bool = True) -> go.Figure:
    """Draw versions as a path from the first to the last, the one in force marked.

    Parameters
    ----------
    versions : DataFrame
        Indexed by version number, with ``gap``, ``gap_low``, ``gap_high``, ``utility``, ``utility_low``, ``utility_high``, ``removed``
        and ``now`` (bool).
    metric, utility : str
        The gap and the measure of accuracy in words.
    lower_is_fairer : bool
        Which way is better on the gap's axis.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=versions["gap"],
        y=versions["utility"],
        mode="lines",
        line={"color": look.GRAY, "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    for now, name, fill, symbol, size in (
        (False, "earlier or undone", look.color(0), "circle", 11),
        (True, "now", look.ACCENT, "star", 17),
    ):
        rows = versions[versions["now"] == now]
        if rows.empty:
            continue
        figure.add_scatter(
            x=rows["gap"],
            y=rows["utility"],
            error_x=_error(rows, "gap"),
            error_y=_error(rows, "utility"),
            mode="markers+text",
            name=name,
            text=[str(i) for i in rows.index],
            textposition="top right",
            marker={"color": fill, "symbol": symbol, "size": size},
            customdata=rows[["gap_low", "gap_high", "utility_low", "utility_high", "removed"]],
            hovertemplate="<b>version %{text}</b>, %{customdata[4]:,} records removed"
            "<br>gap %{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})"
            "<br>accuracy %{y:.3f} (%{customdata[2]:.3f} to %{customdata[3]:.3f})<extra></extra>",
        )
    better = "left" if lower_is_fairer else "right"
    look.finish(
        figure,
        _title(versions),
        f"{markup(metric)} (fairer to the {better})",
        f"{markup(utility)} (share, 0 to 1)",
        height=430,
        names=("earlier", "now"),
    )
    return figure


def _title(versions: pd.DataFrame) -> str:
    first, now = versions.iloc[0], versions[versions["now"]].iloc[0]
    if now.name == versions.index[0]:
        return f"Nothing removed: gap {number(first['gap'])}, accuracy {percent(first['utility'])}"
    return (
        f"With {count(now['removed'], 'record')} removed the gap went from {number(first['gap'])} to {number(now['gap'])}, "
        f"accuracy from {percent(first['utility'])} to {percent(now['utility'])}"
    )


def _error(rows: pd.DataFrame, name: str) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": rows[f"{name}_high"] - rows[name],
        "arrayminus": rows[name] - rows[f"{name}_low"],
        "color": look.FAINT,
        "thickness": 1.5,
        "width": 4,
    }
