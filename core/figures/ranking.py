"""The first records of a ranking: predictions along it, and the measured removal."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures import look
from core.words import count, markup, number, signed


def first_records(
    curve: pd.DataFrame, n_removed: int, before: float, after: float, metric: str, rows: str, *, rate: str = ""
) -> go.Figure:
    """Draw a metric by how many of a ranking's first records go.

    Below it stand the worst-off group's rate and accuracy.

    Parameters
    ----------
    curve : DataFrame
        Predicted, a row for each size: ``n_removed``, ``gap``, ``worst_group``, ``worst_rate``, ``utility``, with intervals.
    n_removed : int
        How many are worth removing; 0 where no first records are.
    before, after : float
        The metric, measured with all records and without these.
    metric : str
        In words.
    rows : str
        The rows that all of it is of, such as "1,000 explore rows searched".
    rate : str
        The rate of the worst-off group in words; empty where the metric does not compare groups, and none is drawn.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.07)
    _add(figure, curve, "gap", f"{metric}, predicted", color=look.color(0), dash="solid", row=1)
    figure.add_scatter(
        x=[0, n_removed] if n_removed else [0],
        y=[before, after] if n_removed else [before],
        mode="markers",
        name="measured",
        marker={"color": look.ACCENT, "symbol": "diamond", "size": 11},
        hovertemplate=f"{markup(metric)} %{{y:.3f}}, measured<br>%{{x:,}} removed<extra></extra>",
        row=1,
        col=1,
    )
    if rate:
        groups = [f"of {markup(group)}, worst off then" for group in curve["worst_group"]]
        _add(figure, curve, "worst_rate", rate, color=look.color(1), dash="dash", row=2, remarks=groups)
    _add(figure, curve, "utility", "accuracy", color=look.color(2), dash="dot", row=2)
    figure.add_vline(x=n_removed, line={"color": look.GRAY, "width": 1.5, "dash": "dot"})
    if n_removed:
        title = f"{count(n_removed, 'record')} removed: {metric} {number(before)} to {number(after)} ({signed(after - before)}), measured"
    else:
        title = f"No first records of the ranking bring {metric} closer to its best value than {number(before)}"
    look.finish(figure, f"{title} on the {rows}", "", "", height=460, names=[str(trace.name) for trace in figure.data])
    figure.update_xaxes(title=None, row=1, col=1)
    figure.update_xaxes(title={"text": "records removed, the most harmful first"}, rangemode="tozero", row=2, col=1)
    figure.update_yaxes(title={"text": markup(metric)}, row=1, col=1)
    figure.update_yaxes(title={"text": "share of rows"}, row=2, col=1)
    return figure


def _add(
    figure: go.Figure,
    curve: pd.DataFrame,
    name: str,
    words: str,
    *,
    color: str,
    dash: str,
    row: int,
    remarks: list[str] | None = None,
) -> None:
    """Draw one column of the curve with its intervals."""
    facts = curve[[f"{name}_low", f"{name}_high"]].assign(remark=remarks or [""] * len(curve))
    figure.add_scatter(
        x=curve["n_removed"],
        y=curve[name],
        error_y=look.error(curve, name),
        mode="lines+markers",
        name=markup(words),
        line={"color": color, "width": 2, "dash": dash},
        marker={"size": 5},
        customdata=facts,
        hovertemplate=f"{markup(words)} %{{customdata[2]}}<br>%{{y:.3f}} (%{{customdata[0]:.3f}} to %{{customdata[1]:.3f}})"
        "<br>%{x:,} removed<extra></extra>",
        row=row,
        col=1,
    )
