"""The fairness-accuracy plane: every version so far, joined as made, and comparisons."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from core.figures import look, plane_compared
from core.words import count, interval, markup, number, percent

VERSIONS = "versions"
"""Marks what is drawn of versions, so that a click on one can be told from others."""


def path(
    versions: pd.DataFrame,
    metric: str,
    utility: str,
    *,
    lower_is_fairer: bool = True,
    plan: pd.DataFrame | None = None,
    band: pd.DataFrame | None = None,
    mitigators: pd.DataFrame | None = None,
    share: bool = True,
    planned: bool = True,
    foreign: bool = False,
) -> go.Figure:
    """Draw versions joined with those they were made from, the one in force marked.

    Parameters
    ----------
    versions : DataFrame
        Indexed by version number, with ``gap``, ``gap_low``, ``gap_high``, ``utility``, ``utility_low``, ``utility_high``, ``removed``
        and ``now`` (bool); ``parent``, the number of the version each was made from, where that is not the one before.
    metric, utility : str
        The gap and the utility in words.
    lower_is_fairer : bool
        Which way is better on the gap's axis.
    plan, band, mitigators : DataFrame, optional
        As `plane_compared` draws them.
    share : bool
        Whether the utility is a share; else a cost, where lower is better.
    planned : bool
        Whether the plan, where there is one, starts from the version in force; of an earlier plan the title does not speak.
    foreign : bool
        Whether the model as opened was trained on other rows, so that training on these is part of what changed.
    """
    figure = go.Figure()
    names = ["earlier", "now"]
    if band is not None and len(band):
        plane_compared.add_band(figure, band, utility)
        names.append("random")
    if plan is not None and len(plan) > 1:
        plane_compared.add_plan(figure, plan, utility)
        names.append("plan")
    if mitigators is not None and len(mitigators):
        plane_compared.add_mitigators(figure, mitigators, utility)
        names.append("fairlearn")
    _add_versions(figure, versions, utility)
    fairer, unit = "left" if lower_is_fairer else "right", "share, 0 to 1" if share else "lower is better"
    look.finish(
        figure,
        _title(versions, utility, plan if planned else None, band, share=share, foreign=foreign),
        f"{markup(metric)} (fairer to the {fairer})",
        f"{markup(utility)} ({unit})",
        height=460,
        names=names,
    )
    return figure


def _add_versions(figure: go.Figure, versions: pd.DataFrame, utility: str) -> None:
    labels, joined = _labels(versions), _joined(versions)
    figure.add_scatter(
        x=joined["gap"],
        y=joined["utility"],
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
        known = bool(rows["utility_low"].notna().all())
        figure.add_scatter(
            x=rows["gap"],
            y=rows["utility"],
            error_x=look.error(rows, "gap"),
            error_y=look.error(rows, "utility") if known else None,
            mode="markers+text",
            name=name,
            meta=VERSIONS,
            text=list(labels[rows.index]),
            textposition="top right",
            marker={"color": fill, "symbol": symbol, "size": size},
            customdata=rows.reset_index()[
                ["gap_low", "gap_high", "utility_low", "utility_high", "removed", rows.index.name]
            ],
            hovertemplate="<b>version %{customdata[5]}</b>, %{customdata[4]:,} records removed"
            "<br>gap %{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f})"
            f"<br>{markup(utility)} %{{y:.3f}}"
            + (" (%{customdata[2]:.3f} to %{customdata[3]:.3f})" if known else "")
            + "<extra></extra>",
        )


def _joined(versions: pd.DataFrame) -> pd.DataFrame:
    """Return the ends of the lines between versions, with a row of nothing between two lines."""
    if "parent" not in versions:
        return versions
    pairs = [[int(parent), number] for number, parent in versions["parent"].items() if parent in versions.index]
    nothing = versions[["gap", "utility"]].iloc[:1] * float("nan")
    parts = [part for pair in pairs for part in (versions.loc[pair, ["gap", "utility"]], nothing)]
    return pd.concat(parts, ignore_index=True) if parts else nothing


def _labels(versions: pd.DataFrame) -> pd.Series[str]:
    """Return the number of every version.

    Those at one place stand together, at the one in force or else the first of them.
    """
    places = versions["gap"].map(number) + " " + versions["utility"].map(number)
    told = {rows["now"].idxmax(): ", ".join(map(str, rows.index)) for _, rows in versions.groupby(places, sort=False)}
    return pd.Series(told).reindex(versions.index, fill_value="")


def _title(
    versions: pd.DataFrame,
    utility: str,
    plan: pd.DataFrame | None,
    band: pd.DataFrame | None,
    *,
    share: bool,
    foreign: bool,
) -> str:
    text = percent if share else number
    first, now = versions.iloc[0], versions[versions["now"]].iloc[0]
    if plan is not None and len(plan) > 1:
        start, end = plan.iloc[0], plan.iloc[-1]
        beside = ""
        if band is not None and len(band):
            largest = band.iloc[-1]
            beside = f"; as many at random leave it at {interval(largest['metric_low'], largest['metric_high'])}"
        return (
            f"The plan's {count(end['n_removed'], 'record')} take the gap from {number(start['value'])} to {number(end['value'])}, {utility} "
            f"from {text(start['utility'])} to {text(end['utility'])}{beside}"
        )
    if now.name == versions.index[0]:
        return f"Nothing removed: gap {number(first['gap'])}, {utility} {text(first['utility'])}"
    done = f"With {count(now['removed'], 'record')} removed" if now["removed"] else "Trained again, nothing removed:"
    if foreign:
        done = f"Trained on these rows, {count(now['removed'], 'record')} removed:"
    return (
        f"{done} the gap went from {number(first['gap'])} to {number(now['gap'])}, "
        f"{utility} from {text(first['utility'])} to {text(now['utility'])}"
    )
