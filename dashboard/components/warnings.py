"""Which gaps a selection is predicted to worsen, said before it is removed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import RedressError
from core.metrics import METRICS
from core.metrics.samples import feature_name
from core.words import inline, interval, number, plain
from dashboard import cached, meaning
from dashboard.components import computed, pages
from dashboard.tables import row
from dashboard.work import Work

SMOOTHED = (
    "Records are ranked by a smoothed gap, in which decisions near the threshold count in part; this prediction counts whole decisions, "
    "so that the most harmful of the ranking need not narrow the gap."
)
WORTH_SAYING = 0.001
"""Smaller changes do not show in the numbers of the strip."""


def show(work: Work) -> None:
    """Warn of every sensitive feature whose gap the removal is predicted to worsen.

    The removal is that of the selection; all stand in one place.
    """
    if not work.selection:
        return
    try:
        scores = computed.scores_without_selection(work)
        if scores is None:
            return
        features = tuple(dict.fromkeys((work.feature, *cached.case(work, 0).roles.sensitive_features)))
        table = cached.predicted(work, scores[0]).table
    except RedressError:
        return  # The preview says why there is none.
    names = [feature_name(feature) for feature in features]
    found = {name: row(table, (work.metric, name)) for name in names}
    parts = [_part(work.metric, name, values) for name, values in found.items() if worsened(work.metric, values)]
    if parts:
        label = plain(inline(meaning.label(work.metric, cached.case(work, 0).roles)))
        them = "it" if len(work.selection) == 1 else "them"
        ranked = METRICS[work.metric].uses == "cells" and worsened(work.metric, found[feature_name(work.feature)])
        why = f" {SMOOTHED}" if ranked else ""
        st.warning(
            f"{'Removing' if work.edit is None else 'Editing'} {them} is predicted to worsen the {label} {'; '.join(parts)}.{why}",
            icon=":material/trending_down:",
        )


def foreign(work: Work) -> None:
    """Warn of what any removal changes besides where the model comes from other rows."""
    if not cached.is_foreign(work):
        return
    with st.container(border=True):
        st.markdown(
            ":orange[:material/warning:] The model does not come from these rows and labels. A removal, and a rule measured by one, would show what "
            "training on these rows changes, too. Train it on them first, then every change is the removal's."
        )
        st.page_link(
            pages.page(pages.START_PAGE), label="Train it on these rows, on Start", icon=":material/arrow_back:"
        )


def worsened(metric: str, values: dict[str, Any]) -> bool:
    """Return whether a gap is predicted to be worse after than before.

    Groups changing places are included.

    Examples
    --------
    >>> worsened("equal_opportunity_difference", {"before": 0.10, "after": 0.12})
    True
    >>> worsened("demographic_parity_ratio", {"before": 0.80, "after": 0.90})
    False
    """
    change = values["after"] - values["before"]
    return bool((change if METRICS[metric].better == "lower" else -change) >= WORTH_SAYING)


def _part(metric: str, feature: str, values: dict[str, Any]) -> str:
    sure = values["low"] > 0 or values["high"] < 0
    doubt = "" if sure else ", which holds 0, so that it may be chance"
    turned = (
        " (the groups change places)" if values["reversed"] and not METRICS[metric].is_level(values["after"]) else ""
    )
    return (
        f"by {plain(feature)} from {number(values['before'])} to {number(values['after'])}{turned}, 95% interval of the change "
        f"{plain(interval(values['low'], values['high']))}{doubt}"
    )
