"""fairlearn's mitigators on the same case, to hold removals against."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

import core
from core.errors import RedressError
from core.metrics import METRICS
from core.mitigation import METHODS
from core.words import count, listing, plain, seconds
from dashboard import cached, session
from dashboard.components import computing, searched
from dashboard.components.tables import download, worded
from dashboard.measures import Measure
from dashboard.session import Key
from dashboard.work import Work

PARTS = ("", "_value_low", "_value_high", "_change", "_low", "_high")
POINT_COLUMNS = [f"{what}{part}" for what in ("fairness", "utility") for part in PARTS] + [
    "reversed",
    "frontier",
    "chosen",
]


AS_OPENED = (
    "fairlearn's mitigators are fitted to the case as it was opened, with every record: they are what could be done instead of the "
    "removals, not after them."
)


def mitigations_so_far(work: Work, measure: Measure) -> dict[str, core.Mitigation]:
    """Return what there is so far, of the case as opened; the next one is started."""
    origin = _origin(work)
    if not session.asked_for(_name(origin, measure)) or not measure.is_share:
        return {}
    try:
        return searched.mitigators(origin, measure)
    except RedressError as error:
        st.error(plain(error))
        return {}


def button(work: Work, measure: Measure) -> None:
    """Show the button that starts them, until it was pressed."""
    origin = _origin(work)
    if not measure.is_share:
        st.caption("fairlearn's mitigators are compared by accuracy or balanced accuracy, not by what errors cost.")
        return
    if session.asked_for(_name(origin, measure)):
        st.caption(AS_OPENED)
        return
    st.button(
        "Compare with fairlearn's mitigators",
        icon=":material/balance:",
        key=Key.MITIGATORS_GO,
        on_click=session.ask_for,
        args=(_name(origin, measure),),
        help="Fits fairlearn's mitigators to the case as it was opened, one after the other; some fit dozens of models.",
    )
    if work.at:
        st.caption(AS_OPENED)


def _origin(work: Work) -> Work:
    return replace(work, at=0, selection=())


def _name(origin: Work, measure: Measure) -> tuple[object, ...]:
    return cached.name_of(origin, searched.MITIGATOR, origin.metric, origin.feature, measure)


def frontier_points(all_found: dict[str, core.Mitigation]) -> pd.DataFrame:
    """Return every point of every mitigator, one row each."""
    parts = [
        one.points.reset_index().assign(
            method=method.replace("_", " "),
            constraint=one.constraint.replace("_", " "),
            seconds=one.seconds,
            complete=one.complete,
        )
        for method, one in all_found.items()
        if one.serves
    ]
    columns = ["method", "constraint", "point", *POINT_COLUMNS, "seconds", "complete"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def mitigators_table(work: Work, measure: Measure, all_found: dict[str, core.Mitigation]) -> None:
    """Show the points as a table, what does not serve and why, and what is still to come."""
    origin = _origin(work)
    for method, one in all_found.items():
        name = plain(method.replace("_", " "))
        if not one.serves:
            st.caption(f":material/block: {name} does not serve: {plain(one.reason)}")
        for note in one.notes:
            st.caption(f":material/info: {name}: {plain(note)}")
    missing = [method for method in METHODS if method not in all_found]
    if missing:
        st.caption(f"Not there: {plain(listing(method.replace('_', ' ') for method in missing))}.")
    for method in missing:
        settings = searched.mitigator_settings(origin, measure, method)
        if computing.is_given_up(origin, searched.MITIGATOR, *settings):
            st.button(
                f"Run {method.replace('_', ' ')} after all",
                key=f"{Key.MITIGATORS_GO}_{method}",
                on_click=session.ask_again,
                args=(cached.name_of(origin, searched.MITIGATOR, *settings),),
            )
    rows = frontier_points(all_found)
    if rows.empty:
        return
    took = seconds(sum(one.seconds for one in all_found.values()))
    st.caption(f"{count(len(rows), 'result')} for the case as opened, in {took}; changes are against its own model.")
    level = rows["fairness"].map(METRICS[work.metric].is_level)
    st.dataframe(
        **worded(rows.assign(reversed=rows["reversed"] & ~level), _columns(measure)), hide_index=True, lazy=False
    )
    download(rows, "mitigators")


def _columns(measure: Measure) -> dict[str, Any]:
    config = st.column_config
    settings: dict[str, Any] = {
        "constraint": config.TextColumn("constraint", help="fairlearn's name of what is made equal."),
        "point": config.NumberColumn("model", help="Which of the models it fits."),
        "fairness": config.NumberColumn("gap", format="%.3f", help="On the test rows searched, by expected decisions."),
        "utility": config.NumberColumn(measure.label, format="%.3f", help="On the test rows searched."),
        "reversed": config.CheckboxColumn("reversed", help="The groups change places."),
        "frontier": config.CheckboxColumn(
            "frontier", help="No other of its models is better in both on the training rows; only these are drawn."
        ),
        "chosen": config.CheckboxColumn("chosen", help="The one fairlearn takes."),
        "seconds": config.NumberColumn("time (s)", format="%.2f", help="Of all fits of this mitigator."),
        "complete": config.CheckboxColumn(
            "complete", help="Not where its time was spent before the end: then these are the best of what was trained."
        ),
    }
    for what in ("fairness", "utility"):
        settings[f"{what}_value_low"] = config.NumberColumn(
            "from", format="%.3f", help="Lower end of its 95% interval, drawn on the plane."
        )
        settings[f"{what}_value_high"] = config.NumberColumn(
            "to", format="%.3f", help="Upper end of its 95% interval, drawn on the plane."
        )
        settings[f"{what}_change"] = config.NumberColumn("change", format="%+.3f", help="Against the case's own model.")
        settings[f"{what}_low"] = config.NumberColumn(
            "change from", format="%+.3f", help="Lower end of the paired 95% interval of the change."
        )
        settings[f"{what}_high"] = config.NumberColumn(
            "change to", format="%+.3f", help="Upper end of the paired 95% interval of the change."
        )
    return settings
