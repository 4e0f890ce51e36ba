"""The scatter of records: influence on the gap against influence on the loss."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from dashboard.figures import look
from dashboard.words import count, markup

MOST_POINTS = 10_000
MOST_EXTREME = 4_000


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


def scatter(shown: pd.DataFrame, n_records: int, selected: pd.Index, metric: str, loss: str) -> go.Figure:
    """Draw what removing each record would do to the gap and to the loss.

    Parameters
    ----------
    shown : DataFrame
        Records plotted, indexed by id, with ``gap``, ``loss``, ``group`` and ``label``.
    n_records : int
        Number of records these stand for.
    selected : Index
        Ids of the selected records.
    metric, loss : str
        The gap and the loss in words.
    """
    figure = go.Figure()
    names = list(dict.fromkeys(sorted(shown["group"].astype(str))))
    for i, group in enumerate(names):
        rows = shown[shown["group"] == group]
        chosen = rows.index.isin(selected)
        figure.add_scattergl(
            x=rows["gap"],
            y=rows["loss"],
            mode="markers",
            name=markup(group),
            marker={"color": look.color(i), "symbol": look.symbol(i), "size": 6, "opacity": 0.55},
            selectedpoints=[int(p) for p in pd.RangeIndex(len(rows))[chosen]] if len(selected) else None,
            selected={"marker": {"opacity": 0.95, "size": 8}},
            unselected={"marker": {"opacity": 0.16}},
            customdata=[
                [markup(record), markup(label)] for record, label in zip(rows.index, rows["label"], strict=True)
            ],
            hovertemplate=f"record %{{customdata[0]}}, {markup(group)}, label %{{customdata[1]}}<br>"
            "gap if removed: %{x:+.2e}<br>loss if removed: %{y:+.2e}<extra></extra>",
        )
    less = int((shown["gap"] < 0).sum())
    title = f"Removing any one of {count(less)} of the {count(len(shown))} records shown would narrow the gap"
    if len(shown) < n_records:
        title += f" ({count(n_records)} in all: every selected and extreme one is shown, and a sample of the rest)"
    look.finish(
        figure,
        title,
        f"change of {markup(metric)} if removed",
        f"change of {markup(loss)} if removed",
        height=520,
        names=names,
    )
    figure.add_vline(x=0, line={"color": look.FAINT, "width": 1})
    figure.add_hline(y=0, line={"color": look.FAINT, "width": 1})
    figure.update_layout(dragmode="lasso", newselection={"line": {"color": look.ACCENT}}, uirevision="records")
    figure.update_layout(legend={"itemclick": False, "itemdoubleclick": False})
    figure.update_xaxes(tickformat=".1e", nticks=7)
    figure.update_yaxes(tickformat=".1e", nticks=7)
    return figure
