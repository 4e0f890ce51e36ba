"""Charts of reasons: what each column adds to a score."""

from __future__ import annotations

import textwrap
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.figures import look
from core.words import markup, signed

MOST_BARS = 10
AXIS_WIDTH = 24
"""Characters of the axis title in a line; on a phone more are cut off, as it stands below the bars alone."""
STYLES = ((look.GRAY, "/"), (look.color(0), ""))
"""Colour and hatching of the model as opened, and of the model now."""


def of_record(table: pd.DataFrame, record: Any, towards: str, unit: str) -> go.Figure:
    """Draw what each column adds to a record's score, one bar per version.

    Parameters
    ----------
    table : DataFrame
        Indexed by column, largest first; one column of signed SHAP values per version, the version in force last.
    record : object
        Its id, for the title.
    towards : str
        What a positive value speaks for.
    unit : str
        What the values are measured in.
    """
    values = dict(zip(map(str, table.index), table.iloc[:, -1].tolist(), strict=True))
    first = max(values, key=lambda name: abs(values[name]))
    speaks = "for" if values[first] > 0 else "against"
    value = f"{signed(values[first])} {unit}"
    title = f"{first} speaks most {speaks} {towards} in record {record}: {value}"
    figure = _bars(table, "%{x:+.4f}")
    figure.add_vline(x=0, line={"color": look.FAINT, "width": 1})
    axis = textwrap.wrap(f"adds to the {unit} of {towards}", AXIS_WIDTH, break_long_words=False)
    if max(map(len, axis)) > AXIS_WIDTH:
        axis = [f"adds to the {unit}"]  # The title says of what.
    return _finish(figure, table, title, "<br>".join(markup(line) for line in axis), wrap=60)


def of_model(table: pd.DataFrame, unit: str) -> go.Figure:
    """Draw how much each column counts on average, one bar per version.

    Parameters
    ----------
    table : DataFrame
        Indexed by column, largest first; one column of mean absolute SHAP values per version, the version in force last.
    unit : str
        What the values are measured in.
    """
    title = f"{table.index[0]} moves scores most: by {table.iloc[:, -1].tolist()[0]:.3f} {unit} on average"
    return _finish(_bars(table, "%{x:.4f}"), table, title, f"mean absolute SHAP value ({unit})")


def _bars(table: pd.DataFrame, number: str) -> go.Figure:
    figure = go.Figure()
    shown = table.head(MOST_BARS)
    for (name, values), (color, hatch) in zip(shown.items(), STYLES[-len(table.columns) :], strict=True):
        figure.add_bar(
            y=[markup(column) for column in shown.index],
            x=values,
            orientation="h",
            name=markup(name),
            marker={"color": color, "pattern": {"shape": hatch, "size": 5, "fgopacity": 0.6}},
            hovertemplate=f"<b>%{{y}}</b>, {markup(name)}<br>{number}<extra></extra>",
        )
    return figure


def _finish(figure: go.Figure, table: pd.DataFrame, title: str, axis: str, wrap: int = 80) -> go.Figure:
    names = [str(name) for name in table.columns] if len(table.columns) > 1 else ()
    height = 90 + (22 + 12 * (len(table.columns) - 1)) * min(len(table), MOST_BARS) + 30 * bool(names)
    look.finish(figure, title, axis, "", height=height, names=names, wrap=wrap)
    figure.update_layout(barmode="group", bargap=0.25, legend={"traceorder": "normal"})
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    return figure
