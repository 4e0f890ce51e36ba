"""Another decision threshold or alert capacity, and what errors cost."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

import core
from core.figures import thresholds
from core.metrics.samples import feature_name
from core.words import count, number, percent, plain
from dashboard import cached, meaning, session
from dashboard.components import chart
from dashboard.session import Key
from dashboard.work import Threshold, Work

OWN, SCORE, CAPACITY = "As the model decides", "At a score", "Alert capacity"


def show(work: Work) -> None:
    """Let the threshold and the costs be changed, and show what both give."""
    left, right = st.columns(2, gap="large")
    with left:
        _threshold(work)
        positive, negative = _costs(work)
        _errors(work, positive, negative)
    with right:
        _sweep(work, positive, negative)


def _threshold(work: Work) -> None:
    case = cached.case(work)
    flagged = f"{plain(case.roles.target)} = {plain(case.roles.pos_label)}"
    mode = OWN if work.threshold is None else CAPACITY if isinstance(work.threshold, core.AtRate) else SCORE
    st.segmented_control(
        "Decision threshold",
        [OWN, SCORE, CAPACITY],
        default=mode,
        required=True,
        key=f"{Key.CHECK_MODE}_{mode}",
        on_change=_mode,
        args=(mode,),
    )
    if isinstance(work.threshold, float):
        scores = case.scores("explore")
        low, high = (0.0, 1.0) if case.score_kind == "probability" else (float(scores.min()), float(scores.max()))
        key = f"{Key.CHECK_SCORE}_{work.case_id}"
        st.slider(
            f"{flagged} from a score of",
            low,
            high,
            work.threshold,
            (high - low) / 100,
            key=key,
            on_change=_score,
            args=(key,),
        )
    elif isinstance(work.threshold, core.AtRate):
        key = f"{Key.CHECK_CAPACITY}_{work.case_id}"
        rate = work.threshold.rate
        st.slider(
            f"{flagged} for the highest",
            0.5,
            99.5,
            100 * rate,
            0.5,
            format="%.1f%%",
            key=key,
            on_change=_capacity,
            args=(key,),
            help="The top share of scores is flagged, whatever their value: what a team can look at.",
        )
    decided = float(case.decisions("explore").mean())
    st.caption(
        f"{percent(decided)} of {count(len(case.rows('explore')), 'test row')} searched get the decision {flagged}: those with a score of "
        f"{number(case.cut('explore'))} or more."
    )


def _set(threshold: Threshold) -> None:
    work = session.work()
    if work is not None:
        session.commit(replace(work, threshold=threshold))


def _mode(old: str) -> None:
    work = session.work()
    if work is None:
        return
    case = cached.case(work)
    chosen = session.value(f"{Key.CHECK_MODE}_{old}")
    share = float(case.decisions("explore").mean())
    _set(
        {
            OWN: None,
            SCORE: round(case.cut("explore"), 2),
            CAPACITY: core.AtRate(min(max(round(share, 3), 0.005), 0.995)),
        }[chosen]
    )


def _score(key: str) -> None:
    _set(float(session.value(key)))


def _capacity(key: str) -> None:
    _set(core.AtRate(float(session.value(key)) / 100))


def _costs(work: Work) -> tuple[float, float]:
    roles = cached.case(work).roles
    good = f"{plain(roles.target)} = {plain(roles.favorable_label)}"
    given, refused = meaning.errors(roles)
    first, second = st.columns(2)
    positive = first.number_input(
        f"Cost of a {given}",
        0.0,
        value=1.0,
        step=1.0,
        key=Key.CHECK_COST_POSITIVE,
        persist_state="session",
        help=f"One record wrongly given the good outcome ({good}), in any unit.",
    )
    negative = second.number_input(
        f"Cost of a {refused}",
        0.0,
        value=1.0,
        step=1.0,
        key=Key.CHECK_COST_NEGATIVE,
        persist_state="session",
        help=f"One record wrongly refused the good outcome ({good}), in the same unit.",
    )
    return float(positive or 0.0), float(negative or 0.0)


def _errors(work: Work, positive: float, negative: float) -> None:
    table = cached.table(work, "errors", work.feature, positive, negative)
    given, refused = meaning.errors(cached.case(work).roles)
    total = f"{table['cost'].sum():,.0f}"
    st.metric(
        "Cost of all errors",
        total,
        help=f"{count(table['false_positives'].sum(), given)} at {positive:g} and "
        f"{count(table['false_negatives'].sum(), refused)} at {negative:g}, over {count(table['n'].sum(), 'row')}.",
    )
    config = st.column_config
    st.dataframe(
        table.rename_axis(feature_name(work.feature)),
        lazy=False,
        column_config={
            "n": config.NumberColumn("n", help="Rows searched.", format="localized"),
            "false_positives": config.NumberColumn(
                f"{given}s", help="Wrongly given the good outcome.", format="localized"
            ),
            "false_negatives": config.NumberColumn(
                f"{refused}s", help="Wrongly refused the good outcome.", format="localized"
            ),
            "cost": config.NumberColumn("cost", help="Counts times costs.", format="localized"),
            "cost_per_person": config.NumberColumn("cost per row", help="Cost over n.", format="%.3f"),
        },
    )


def _sweep(work: Work, positive: float, negative: float) -> None:
    case = cached.case(work)
    table = cached.table(work, "sweep", work.metric, work.feature, positive, negative)
    unit = (
        "decision threshold (score, 0 to 1)"
        if case.score_kind == "probability"
        else "decision threshold (decision value)"
    )
    label = meaning.label(work.metric, case.roles)
    chart.show(thresholds.sweep(table, case.cut("explore"), label, unit, meaning.errors(case.roles)), "sweep")
    with st.expander("As a table"):
        st.dataframe(table.reset_index(), hide_index=True, lazy=False)
