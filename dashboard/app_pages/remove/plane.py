"""The fairness-accuracy plane.

Versions, the plan, random removals and fairlearn's mitigators, drawn and as tables.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from core.figures import plane
from core.metrics import METRICS
from dashboard import cached, meaning, session
from dashboard.app_pages.remove import mitigators, plan, versions_tree
from dashboard.app_pages.remove import versions as remove_versions
from dashboard.components import chart, opening
from dashboard.components.tables import download, worded
from dashboard.measures import Measure
from dashboard.work import Work

PLANE_FRAGMENT = "plane"
VERSIONS, PLAN, RANDOM, MITIGATORS = "Versions", "The plan", "Random removals", "fairlearn's mitigators"


@st.fragment(key=PLANE_FRAGMENT)
def show() -> None:
    """Show the utility, the plan, and the plane with everything that lies on it."""
    work = opening.opened()
    st.divider()
    if work.made:
        versions_tree.show(work)
    measure, planned = plan.show(work)
    versions = remove_versions.versions_table(work, measure)
    mitigations = mitigators.mitigations_so_far(work, measure)
    known = versions[versions["gap"].notna()]
    if known.empty:
        st.info("The gap is undefined in every version, so there is nothing to draw. Choose another gap in the header.")
    else:
        _draw(work, measure, known, planned, mitigations)
    mitigators.button(work, measure)
    names = [VERSIONS]
    if planned is not None and len(planned.plan):
        names += [PLAN] if planned.band is None else [PLAN, RANDOM]
    names += [MITIGATORS] if mitigations else []
    for name, tab in zip(names, st.tabs(names), strict=True):
        with tab:
            if name == VERSIONS:
                remove_versions.show(work, measure, versions)
            elif name == MITIGATORS:
                mitigators.mitigators_table(work, measure, mitigations)
            elif planned is not None:
                _path(planned.plan.path, measure) if name == PLAN else _band(planned.band, measure)


def _draw(work: Work, measure: Measure, known: pd.DataFrame, planned: Any, mitigations: Any) -> None:
    """Show the plane; a click on a version goes there."""
    metric = METRICS[work.metric]
    figure = plane.path(
        known,
        meaning.label(work.metric, cached.case(work).roles),
        measure.label,
        lower_is_fairer=metric.better == "lower",
        plan=None if planned is None else planned.plan.path,
        band=None if planned is None else planned.band,
        mitigators=mitigators.frontier_points(mitigations),
        share=measure.is_share,
        planned=planned is not None and planned.in_force,
        foreign=work.at > 0 and cached.is_foreign(work, 0),
    )
    place = f"plane_{work.number}_{len(work.made)}"
    drawn = [
        [int(one[-1]) for one in trace.customdata] if trace.meta == plane.VERSIONS else [] for trace in figure.data
    ]
    clicked = partial(_go_to_clicked, place, drawn)
    chart.show(figure, place, on_select=clicked, selection_mode="points")


def _go_to_clicked(place: str, drawn: list[list[int]]) -> None:
    """Go to the version that was clicked; a click on anything else does nothing."""
    points = (session.value(place) or {}).get("selection", {}).get("points", ())
    # Not by what the browser says of a point: it sends an array of numbers as an object.
    numbers = [drawn[point["curve_number"]][point["point_index"]] for point in points if drawn[point["curve_number"]]]
    if numbers:
        versions_tree.go(numbers[0])


def _path(path: pd.DataFrame, measure: Measure) -> None:
    config = st.column_config
    st.dataframe(
        **worded(
            path,
            {
                "n_removed": config.NumberColumn("removed", help="Records, at this checkpoint.", format="localized"),
                "predicted": config.NumberColumn("predicted", help="The gap that was predicted here.", format="%.3f"),
                "value": config.NumberColumn("gap", help="Measured, the records really removed.", format="%.3f"),
                "change": config.NumberColumn("change", help="Of the gap, since the start.", format="%+.3f"),
                "low": config.NumberColumn("from", help="Lower end of the paired 95% interval.", format="%+.3f"),
                "high": config.NumberColumn("to", help="Upper end of the paired 95% interval.", format="%+.3f"),
                "utility": config.NumberColumn(measure.label, format="%.3f", help="Measured."),
                "utility_drop": config.NumberColumn("worse by", format="%.3f", help="Than at the start."),
                "largest_group_share": config.NumberColumn(
                    "largest share of a group", format="percent", help="Removed of any group's training records."
                ),
            },
        ),
        hide_index=True,
        lazy=False,
    )
    download(path, "plan")


def _band(band: pd.DataFrame | None, measure: Measure) -> None:
    if band is None:
        return
    config, form = st.column_config, "%.3f"
    settings = {}
    for name, label in (("metric", "gap"), ("utility", measure.label)):
        settings[f"{name}_low"] = config.NumberColumn(f"{label} from", format=form, help="2.5% of draws lie below.")
        settings[name] = config.NumberColumn(label, format=form, help="The middle draw.")
        settings[f"{name}_high"] = config.NumberColumn(f"{label} to", format=form, help="2.5% of draws lie above.")
    settings["n_draws"] = config.NumberColumn("draws", help="Random removals of this size, each really unlearned.")
    st.dataframe(**worded(band.rename_axis("removed"), settings), lazy=False)
    download(band, "random_removals")
