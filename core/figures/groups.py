"""Charts of groups: how large they are, and their rates with intervals."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.figures import look
from core.figures.look import smallest_and_largest
from core.words import count, markup, number, percent

MANY = 12
"""Of more groups each gets less room."""


def sizes(table: pd.DataFrame, feature: str) -> go.Figure:
    """Draw how many records each group holds.

    Parameters
    ----------
    table : DataFrame
        Indexed by group, with counts ``train`` and ``test``.
    feature : str
        The sensitive feature, for the title.
    """
    groups = [markup(name) for name in table.index]
    smallest, least, _, _ = smallest_and_largest(table["test"])
    whole = int(table["test"].sum())
    figure = go.Figure()
    for column, name, fill in (("train", "training records", look.GRAY), ("test", "test rows", look.color(0))):
        figure.add_bar(
            y=groups,
            x=table[column],
            name=name,
            orientation="h",
            marker={"color": fill},
            text=[f"{n:,}" for n in table[column]],
            textposition="outside",
            cliponaxis=False,
            textfont={"size": 12},
            hovertemplate="%{y}<br>n = %{x:,} " + name + "<extra></extra>",
        )
    title = f"{smallest} is the smallest group by {feature}: {count(least)} of {count(whole, 'test row')}, {percent(least / whole)}"
    each = 56 if len(groups) <= MANY else 38
    look.finish(figure, title, "records", "", height=110 + each * len(groups), names=("train", "test"))
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    figure.update_xaxes(tickformat=",d", range=[0, 1.12 * max(table["train"].max(), table["test"].max())])
    return figure


def _counted(row: pd.Series[Any], rate: str) -> str:
    """Return the counts behind a share, or how many rows there are for other rates."""
    if f"{rate}_of" not in row:
        return f"n = {row['n']:,.0f}"
    return f"{row[f'{rate}_hits']:,.0f} of {row[f'{rate}_of']:,.0f} rows"


def rates(table: pd.DataFrame, rate: str, label: str, formula: str) -> go.Figure:
    """Draw one rate of every group with its interval.

    Parameters
    ----------
    table : DataFrame
        Indexed by group, with ``n``, the rate, ``<rate>_low``, ``<rate>_high`` and ``<rate>_n_needed``.
    rate : str
        The rate's name.
    label : str
        Its name in words.
    formula : str
        How it is computed; shown on hover.
    """
    enough = table["n"] >= table[f"{rate}_n_needed"]
    sure = table.loc[enough, rate].dropna()
    known = table[rate].dropna()
    figure = go.Figure()
    for i, (group, row) in enumerate(table.iterrows()):
        figure.add_scatter(
            x=[row[rate]],
            y=[markup(group)],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [row[f"{rate}_high"] - row[rate]],
                "arrayminus": [row[rate] - row[f"{rate}_low"]],
                "thickness": 2,
                "width": 5,
            },
            mode="markers",
            marker={"color": look.color(i) if enough.iloc[i] else look.GRAY, "symbol": look.symbol(i), "size": 11},
            customdata=[
                [
                    int(row["n"]),
                    row[f"{rate}_low"],
                    row[f"{rate}_high"],
                    "" if enough.iloc[i] else "<br>insufficient evidence",
                    _counted(row, rate),
                ]
            ],
            hovertemplate="<b>%{y}</b><br>%{x:.3f} (95% interval %{customdata[1]:.3f} to %{customdata[2]:.3f})"
            f"<br>%{{customdata[4]}}<br>{markup(formula)}%{{customdata[3]}}<extra></extra>",
        )
    if known.empty:
        title = f"{label} is undefined in every group"
    else:
        low, least, high, most = smallest_and_largest(sure if len(sure) > 1 else known)
        same = number(least) == number(most) and len(known) > 1
        title = f"{label}: {least:.3f} of {low}, {most:.3f} of {high}"
        title = f"{label}: {least:.3f} in every group" if same else title
        if not same and 1 < len(sure) < len(known):
            title += f", of the {len(sure)} groups with enough rows; the others are grey"
        elif len(sure) < len(known):
            title += "; groups with too few rows are grey"
    each = 44 if len(table) <= MANY else 28
    look.finish(figure, title, "rate (0 to 1)", "", height=80 + each * len(table))
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    return figure
