"""A plan: few records that bring the gap to a target within a budget.

The budget is of utility, with a cap on every group.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pandas as pd
import streamlit as st

import core
from core.actions.influence import why_no_attribution
from core.errors import RedressError
from core.metrics import METRICS
from core.metrics.samples import feature_name
from core.words import count, inline, plain
from dashboard import cached, meaning, session
from dashboard.app_pages.remove import utility, versions_tree
from dashboard.components import computing, searched
from dashboard.measures import Measure, PlanSettings
from dashboard.session import Key
from dashboard.tables import row
from dashboard.work import Work

USUAL_SHARE = 0.1


class Planned(NamedTuple):
    """A plan, the band of random removals beside it, and whether it starts from here.

    The band may still be on its way; here is the version in force.
    """

    plan: core.Plan
    band: pd.DataFrame | None
    in_force: bool


def show(work: Work) -> tuple[Measure, Planned | None]:
    """Show the form and the plan made last.

    Returns the utility, and the plan if it lies on the plane.
    """
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown("#### Plan a removal")
        measure = utility.show(work)
        reason = why_no_attribution(cached.case(work))
        if reason:
            st.info(f"A plan goes by influence. {plain(reason)}")
        else:
            _form(work, measure)
    with right:
        return measure, _last(work, measure)


def _form(work: Work, measure: Measure) -> None:
    case, metric = cached.case(work), METRICS[work.metric]
    first, second = st.columns(2)
    target = first.number_input(
        "Target",
        0.0,
        1.0,
        _halved(work),
        0.005,
        format="%.3f",
        key=f"{Key.PLAN_TARGET}_{work.metric}_{work.feature}_{work.at}",
        help=f"What the {plain(inline(meaning.label(work.metric, case.roles)))} should reach: at {'most' if metric.better == 'lower' else 'least'} this. "
        "Half the way to none is offered.",
    )
    with second:
        drop = _drop(measure)
    most = first.number_input(
        "Most records",
        1,
        case.n_retained - 1,
        max(1, round(USUAL_SHARE * case.n_retained)),
        key=f"{Key.PLAN_RECORDS}_{work.case_id}",
    )
    share = second.number_input(
        "Most of any group (%)",
        0.5,
        100.0,
        100.0,
        0.5,
        format="%.1f",
        key=Key.PLAN_GROUP_SHARE,
        help="In percent of the group's training records; no group loses more.",
    )
    settings = PlanSettings(
        float(target or 0.0),
        measure,
        drop,
        int(most or 1),
        float(share or 100.0) / 100,
    )
    st.button("Plan", type="primary", icon=":material/route:", key=Key.PLAN_GO, on_click=_go, args=(settings,))


def _drop(measure: Measure) -> float:
    usual, step = (1.0, 0.5) if measure.is_share else (0.05, 0.01)
    value = st.number_input(
        f"{measure.label[:1].upper()}{measure.label[1:]} may {'fall' if measure.is_share else 'rise'} by",
        0.0,
        100.0 if measure.is_share else None,
        usual,
        step,
        format="%.2f",
        key=f"{Key.PLAN_DROP}_{measure.name}",
        help="In percentage points." if measure.is_share else "In the unit of the costs, per record.",
    )
    return float(value or 0.0) / (100 if measure.is_share else 1)


def _halved(work: Work) -> float:
    """Return the value half the way from the gap now to none."""
    found = cached.report(work, (work.metric, "accuracy"), (work.feature,))
    value = float(row(found.gaps, (work.metric, feature_name(work.feature)))["value"])
    best = 0.0 if METRICS[work.metric].better == "lower" else 1.0
    return best if pd.isna(value) else min(max(round((value + best) / 2, 3), 0.0), 1.0)


def _go(settings: PlanSettings) -> None:
    work = session.work()
    if work is None:
        return
    origin = replace(work, selection=())
    session.set_plan(origin, settings)
    session.ask_for(cached.name_of(origin, searched.PLAN, origin.metric, origin.feature, settings))


def last(work: Work, measure: Measure) -> tuple[Work, PlanSettings] | None:
    """Return the plan asked for last, if it is about this case, gap and utility."""
    asked = session.plan()
    if asked is None:
        return None
    origin, settings = asked
    same = (origin.case_id, origin.metric, origin.feature, origin.threshold, settings.measure) == (
        work.case_id,
        work.metric,
        work.feature,
        work.threshold,
        measure,
    )
    return asked if same else None


def _last(work: Work, measure: Measure) -> Planned | None:
    asked = last(work, measure)
    if asked is None:
        st.caption(
            "A plan looks for few records that bring the gap to the target. It goes by influence, really removes records and measures anew "
            "at checkpoints, and says what was reached and what stopped it."
        )
        return None
    origin, settings = asked
    about = (origin.metric, origin.feature, settings)
    try:
        plan = searched.found_plan(origin, settings)
    except RedressError as error:
        st.error(plain(error))
        computing.offer_again(error, origin, searched.PLAN)
        return None
    if plan is None:
        computing.place(origin, searched.PLAN, *about)
        return None
    in_force = _is_at(work, origin)
    if in_force:
        known = searched.plan_expected(origin, settings, plan)
        kind = st.info if known is None else st.success if known.reached else st.warning
        kind(plain(_reason(plan if known is None else known, origin)))
        if known is None:
            st.caption("What to expect on rows that were not searched is being worked out.")
            computing.place(origin, searched.PLAN_EXPECTED, *about)
        _approximately(origin)
    else:
        st.caption(
            f"Planned for another version than the one in force: {plain(inline(_reason(plan, origin)))} Go back to it, or plan anew."
        )
        if not origin.applied or origin.applied in work.made:  # else its record was damaged and set aside
            versions_tree.version_button(work, work.number_of(origin.applied), "plan")
    if not len(plan):
        return Planned(plan, None, in_force)
    if in_force:
        _take(work, origin, plan)
    return Planned(plan, _band(origin, settings, plan), in_force)


def _reason(plan: core.Plan, origin: Work) -> str:
    return meaning.reworded(plan.reason, origin.metric, cached.case(origin).roles)


def _approximately(origin: Work) -> None:
    """Say that removing gives other figures than the plan's last ones.

    That is where the way tried first is approximate.
    """
    first = next((one for one in core.unlearners_for(cached.case(origin)) if one.fits), None)
    if first is not None and first.guarantee is core.Guarantee.APPROXIMATE:
        st.caption(
            f":material/info: {plain(first.name)}, tried first, is approximate. The plan ends with training again, and what it reaches is that "
            "model's; once these records are removed, the model can be made exact to be it."
        )


def _is_at(work: Work, origin: Work) -> bool:
    """Return whether the version in force is the one a plan started from."""
    return (work.applied, work.case_id) == (origin.applied, origin.case_id)


def _take(work: Work, origin: Work, plan: core.Plan) -> None:
    ids = tuple(plan.forget)
    key = f"{Key.PLAN_TAKE}_{hash(ids)}"
    st.slider(
        "Take the first of the plan's records",
        0,
        len(ids),
        len(ids),
        key=key,
        on_change=_take_some,
        args=(origin, key, ids),
        help="In the order the plan removes them; the strip previews what removing so many does.",
    )
    st.button(
        f"Select all {count(len(ids), 'record')}",
        key=Key.PLAN_SELECT,
        icon=":material/select:",
        on_click=_select,
        args=(origin, ids),
    )
    if work.selection and work.selection == ids[: len(work.selection)]:
        st.caption(":material/arrow_upward: They are the selection; the preview and Apply are at the top of this page.")


def _take_some(origin: Work, key: str, ids: tuple[object, ...]) -> None:
    _select(origin, ids[: int(session.value(key) or 0)])


def _select(origin: Work, ids: tuple[object, ...]) -> None:
    # The browser sends the slider once more when it goes, as after Apply: its records are removed by then.
    work = session.work()
    if work is None or not _is_at(work, origin):
        return
    session.select(ids)
    st.rerun()  # The whole page: the strip and the selection stand outside this fragment.


def _band(origin: Work, settings: PlanSettings, plan: core.Plan) -> pd.DataFrame | None:
    try:
        band = searched.random_band(origin, settings, len(plan))
    except RedressError as error:
        st.caption(f":material/info: {plain(error)}")
        return None
    if band is None:
        st.caption("Random removals of equal size, to hold it against:")
        computing.place(origin, searched.BAND, *searched.band_settings(origin, settings, len(plan)))
    return band
