"""The utility that stands against the gap: on the plane, and in the budget of a plan."""

from __future__ import annotations

import streamlit as st

from core.plans.utility import COST
from dashboard import cached, meaning
from dashboard.measures import Measure, utilities
from dashboard.session import Key
from dashboard.work import Work


def show(work: Work) -> Measure:
    """Show the choice; return it."""
    probability = cached.case(work, 0).score_kind == "probability"
    name = st.selectbox(
        "Utility",
        utilities(scores=probability),
        format_func=lambda name: Measure(name).label,
        key=Key.REMOVE_UTILITY,
        persist_state="session",
        help="What a removal must not cost too much of: the budget of a plan, and the second axis of the chart below.",
    )
    if name != COST:
        return Measure(str(name))
    roles = cached.case(work, 0).roles
    given, refused = meaning.errors(roles)
    first, second = st.columns(2)
    # The library counts errors by the label that is scored; where that is the bad outcome, its false positive is a false alarm.
    positive_name, negative_name = (refused, given) if meaning.scored_is_bad(roles) else (given, refused)
    with first:
        positive = _cost(f"Cost of a {positive_name}", Key.REMOVE_COST_POSITIVE)
    with second:
        negative = _cost(f"Cost of a {negative_name}", Key.REMOVE_COST_NEGATIVE)
    return Measure(COST, (positive, negative))


def _cost(label: str, key: Key) -> float:
    about = "Of one such error, in any unit; the utility is the mean over all records."
    value = st.number_input(label, 0.0, value=1.0, step=1.0, key=key, persist_state="session", help=about)
    return float(value or 0.0)
