"""Charts of rules: what removing the records of each did to a gap."""

from __future__ import annotations

import textwrap

import pandas as pd
import plotly.graph_objects as go

from core.figures import look
from core.words import count, markup, number

RULE_WIDTH = 44
"""Characters of a rule in a line."""


def effects(table: pd.DataFrame, metric: str, before: float, *, lower_is_fairer: bool = True) -> go.Figure:
    """Draw the measured change of each rule with its interval, and the predicted one.

    Parameters
    ----------
    table : DataFrame
        One row per rule, best first: ``rule``, ``n_records``, ``predicted``, ``verified``, and ``change`` with its interval, ``low`` and ``high``.
    metric : str
        The gap in words.
    before : float
        The gap with all records.
    lower_is_fairer : bool
        Which way is better.
    """
    rules = ["<br>".join(markup(line) for line in textwrap.wrap(str(rule), RULE_WIDTH)) for rule in table["rule"]]
    known = (table["change"] - table["verified"]).abs() < 1e-9  # Else the interval is of a signed difference.
    figure = go.Figure()
    figure.add_scatter(
        x=table["verified"],
        y=rules,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (table["high"] - table["verified"]).where(known, 0.0),
            "arrayminus": (table["verified"] - table["low"]).where(known, 0.0),
            "thickness": 2,
            "width": 5,
            "color": look.GRAY,
        },
        mode="markers",
        name="measured",
        marker={"size": 11, "color": look.color(0), "symbol": "circle"},
        customdata=table[["n_records", "low", "high"]],
        hovertemplate="<b>%{y}</b><br>%{customdata[0]:,} records<br>really removed: %{x:+.3f} (%{customdata[1]:+.3f} to %{customdata[2]:+.3f})"
        "<extra></extra>",
    )
    figure.add_scatter(
        x=table["predicted"],
        y=rules,
        mode="markers",
        name="predicted",
        marker={"size": 11, "color": look.ACCENT, "symbol": "diamond-open", "line": {"width": 2}},
        hovertemplate="<b>%{y}</b><br>predicted: %{x:+.3f}<extra></extra>",
    )
    if table.empty:
        title = f"No rule is shown for the {metric} of {number(before)}"
    else:
        first = table.iloc[0]
        title = (
            f"Without the {count(first['n_records'], 'record')} of the first rule the {metric} goes from {number(before)} to "
            f"{number(before + first['verified'])}"
        )
    fairer = "left" if lower_is_fairer else "right"
    names = ("measured", "predicted")
    axis = f"change of the {markup(metric)} (fairer to the {fairer})"
    look.finish(figure, title, axis, "", height=130 + 56 * len(table), names=names)
    figure.add_vline(x=0, line={"color": look.FAINT, "width": 1})
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    return figure
