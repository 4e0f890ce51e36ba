"""Comparisons on the plane that removals are held against.

A plan's curve, random removals, fairlearn's mitigators.
"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.figures import look
from core.words import markup

PLAN_COLOR = look.color(2)
BAND = "rgba(138, 147, 155, 0.18)"
PARTS = ("change", "value_low", "value_high")
METHODS = {
    "threshold optimizer": ("square", look.color(3)),
    "exponentiated gradient": ("diamond", look.color(1)),
    "grid search": ("triangle-up", look.color(6)),
    "correlation remover": ("cross", look.color(5)),
}


def add_plan(figure: go.Figure, path: pd.DataFrame, utility: str) -> None:
    """Draw a plan's checkpoints as a curve.

    Parameters
    ----------
    figure : Figure
    path : DataFrame
        ``n_removed``, ``predicted``, ``value`` and ``utility`` of each.
    utility : str
        In words.
    """
    figure.add_scatter(
        x=path["value"],
        y=path["utility"],
        mode="lines+markers",
        name="the plan",
        line={"color": PLAN_COLOR, "width": 2.5},
        marker={"color": PLAN_COLOR, "symbol": "circle-open", "size": 7},
        customdata=path[["n_removed", "predicted"]],
        hovertemplate="<b>the plan</b>, %{customdata[0]:,} records removed<br>gap %{x:.3f}, predicted %{customdata[1]:.3f}"
        f"<br>{markup(utility)} %{{y:.3f}}<extra></extra>",
    )


def add_band(figure: go.Figure, band: pd.DataFrame, utility: str) -> None:
    """Draw where random removals end: a grey field for each size, and the middle draws.

    Parameters
    ----------
    figure : Figure
    band : DataFrame
        Indexed by the number removed: ``metric``, ``metric_low``, ``metric_high`` and the same of ``utility``.
    utility : str
        In words.
    """
    for _, size in band.iterrows():
        left, right, low, high = (size[name] for name in ("metric_low", "metric_high", "utility_low", "utility_high"))
        figure.add_scatter(
            x=[left, right, right, left, left],
            y=[low, low, high, high, low],
            mode="lines",
            fill="toself",
            fillcolor=BAND,
            line={"color": look.FAINT, "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
    figure.add_scatter(
        x=band["metric"],
        y=band["utility"],
        mode="markers",
        name="random removals, 95% of draws",
        marker={"color": look.GRAY, "symbol": "x-thin-open", "size": 8, "line": {"width": 1.5}},
        customdata=[*zip(band.index, *(band[name] for name in ("metric_low", "metric_high", "n_draws")), strict=True)],
        hovertemplate="<b>%{customdata[0]:,} removed at random</b>, %{customdata[3]} draws<br>gap %{x:.3f} "
        f"(%{{customdata[1]:.3f}} to %{{customdata[2]:.3f}})<br>{markup(utility)} %{{y:.3f}}<extra></extra>",
    )


def add_mitigators(figure: go.Figure, points: pd.DataFrame, utility: str) -> None:
    """Draw what fairlearn's mitigators reach.

    The models of their frontier, with intervals on the one each takes.

    Parameters
    ----------
    figure : Figure
    points : DataFrame
        ``method``, ``fairness``, ``utility``, of each ``_change`` and, of the value itself, ``_value_low`` and ``_value_high``;
        ``frontier`` and ``chosen``.
    utility : str
        In words.
    """
    for method, rows in points[points["frontier"] | points["chosen"]].groupby("method", sort=False):
        symbol, color = METHODS[str(method)]
        others = rows[~rows["chosen"]]
        for part, size, opacity in ((others, 7, 0.6), (rows[rows["chosen"]], 12, 1.0)):
            if part.empty:
                continue
            chosen = part is not others
            figure.add_scatter(
                x=part["fairness"],
                y=part["utility"],
                error_x=look.error(part, "fairness", of="fairness_value") if chosen else None,
                error_y=look.error(part, "utility", of="utility_value") if chosen else None,
                mode="markers",
                name=str(method),
                showlegend=chosen,
                legendgroup=str(method),
                marker={"color": color, "symbol": symbol, "size": size, "opacity": opacity},
                customdata=part[[f"{side}_{end}" for side in ("fairness", "utility") for end in PARTS]],
                hovertemplate=f"<b>{markup(method)}</b>"
                "<br>gap %{x:.3f} (%{customdata[1]:.3f} to %{customdata[2]:.3f}; change %{customdata[0]:+.3f})"
                f"<br>{markup(utility)} %{{y:.3f}} (%{{customdata[4]:.3f}} to %{{customdata[5]:.3f}}; change %{{customdata[3]:+.3f}})"
                "<extra></extra>",
            )
