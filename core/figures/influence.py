"""The scatter of records: influence on the gap against influence on the loss."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.figures import look
from core.words import count, markup

MOST_POINTS = 5_000
MOST_EXTREME = 2_000
PER = 10_000
"""Changes by one record are drawn and told in so many parts, or people would read powers of ten."""


def points(records: pd.DataFrame, selected: pd.Index) -> pd.DataFrame:
    """Return the records to plot: all selected and all extreme ones, and a sample of the rest.

    Parameters
    ----------
    records : DataFrame
        Indexed by record id, with ``gap`` and ``loss``.
    selected : Index
        Ids that must be plotted (up to the limit).
    """
    if len(records) <= MOST_POINTS:
        return records
    extreme = (
        records["gap"]
        .abs()
        .nlargest(MOST_EXTREME // 2)
        .index.union(records["loss"].abs().nlargest(MOST_EXTREME // 2).index)
    )
    chosen = records.index.isin(selected[: MOST_POINTS - MOST_EXTREME]) | records.index.isin(extreme)
    rest = records[~chosen].sample(MOST_POINTS - int(chosen.sum()), random_state=0)
    return records[chosen | records.index.isin(rest.index)]


def scatter(
    shown: pd.DataFrame,
    passing: pd.DataFrame,
    selected: pd.Index,
    metric: str,
    loss: str,
    *,
    lower_is_fairer: bool = True,
) -> go.Figure:
    """Draw what removing each record would do to the gap and to the loss, per 10,000.

    Parameters
    ----------
    shown : DataFrame
        Records plotted, indexed by id, with ``gap``, ``loss``, ``group`` (categorical), ``label`` and ``removed``.
    passing : DataFrame
        All records these stand for; they are counted in the title.
    selected : Index
        Ids of the selected records.
    metric, loss : str
        The gap and the loss in words.
    lower_is_fairer : bool
        Which way the gap should go.
    """
    figure = go.Figure()
    gone = shown[shown["removed"]]
    if len(gone):
        _add(figure, gone, "removed", {"color": look.FAINT, "symbol": "x-thin-open", "size": 6})
    retained = shown[~shown["removed"]]
    names = [str(name) for name in shown["group"].cat.categories if (retained["group"] == name).any()]
    for i, group in enumerate(shown["group"].cat.categories):
        rows = retained[retained["group"] == group]
        if len(rows):
            chosen = [place for place, hit in enumerate(rows.index.isin(selected)) if hit] if len(selected) else None
            _add(
                figure,
                rows,
                str(group),
                {"color": look.color(i), "symbol": look.symbol(i), "size": 6, "opacity": 0.55},
                chosen,
            )
    counted = passing[~passing["removed"]]
    better = int((counted["gap"] < 0).sum() if lower_is_fairer else (counted["gap"] > 0).sum())
    title = f"{count(better)} of {count(len(counted), 'record')} would each narrow the gap if removed alone"
    look.finish(
        figure,
        title,
        f"{markup(metric)}: change if removed, per {PER:,}",
        f"{markup(loss)}: change if removed, per {PER:,}",
        height=520,
        names=names,
    )
    figure.add_vline(x=0, line={"color": look.FAINT, "width": 1})
    figure.add_hline(y=0, line={"color": look.FAINT, "width": 1})
    figure.update_layout(dragmode="lasso", newselection={"line": {"color": look.ACCENT}})
    # Its buttons stand in the margin, since in a row above they lie over the legend.
    figure.update_layout(modebar={"orientation": "v", "bgcolor": "rgba(0, 0, 0, 0)"}, margin={"r": 40})
    figure.update_layout(legend={"itemclick": False, "itemdoubleclick": False})
    figure.update_xaxes(nticks=8)
    figure.update_yaxes(nticks=8)
    return figure


def _add(
    figure: go.Figure, rows: pd.DataFrame, name: str, marker: dict[str, Any], chosen: list[int] | None = None
) -> None:
    figure.add_scattergl(
        x=PER * rows["gap"],
        y=PER * rows["loss"],
        mode="markers",
        name=markup(name),
        ids=[*rows.index],
        marker=marker,
        selectedpoints=chosen,
        selected={"marker": {"opacity": 0.95, "size": 8}},
        unselected={"marker": {"opacity": 0.16}},
        customdata=[[markup(record), markup(label)] for record, label in zip(rows.index, rows["label"], strict=True)],
        hovertemplate=f"record %{{customdata[0]}}, {markup(name)}, label %{{customdata[1]}}<br>"
        f"if removed, per {PER:,}: gap %{{x:+.2f}}, loss %{{y:+.2f}}<extra></extra>",
    )
