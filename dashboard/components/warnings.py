"""Which gaps a selection is predicted to worsen, said before it is removed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import RedressError
from core.metrics import METRICS
from core.metrics.samples import feature_name
from dashboard import cached
from dashboard.components import computed
from dashboard.tables import row
from dashboard.words import inline, interval, number, plain
from dashboard.work import Work

WORTH_SAYING = 0.001
"""Smaller changes do not show in the numbers of the strip."""


def show(work: Work) -> None:
    """Warn of each sensitive feature whose gap removing the selection is predicted to worsen."""
    if not work.selection:
        return
    try:
        scores = computed.preview(work)
        if scores is None:
            return
        names = cached.case(work, 0).roles.sensitive_features
        features = tuple(dict.fromkeys((work.feature, *names)))
        table = cached.predicted(work, scores[0], (work.metric,), features)
    except RedressError:
        return  # The preview says why there is none.
    for feature in features:
        found = row(table, (work.metric, feature_name(feature)))
        if worsened(work.metric, found):
            st.warning(_sentence(work, feature_name(feature), found), icon=":material/trending_down:")


def worsened(metric: str, values: dict[str, Any]) -> bool:
    """Return whether a gap is predicted to be worse after than before, groups changing places included.

    Examples
    --------
    >>> worsened("equal_opportunity_difference", {"before": 0.10, "after": 0.12})
    True
    >>> worsened("demographic_parity_ratio", {"before": 0.80, "after": 0.90})
    False
    """
    change = values["after"] - values["before"]
    return bool((change if METRICS[metric].better == "lower" else -change) >= WORTH_SAYING)


def _sentence(work: Work, feature: str, values: dict[str, Any]) -> str:
    own = feature == feature_name(work.feature)
    sure = values["low"] > 0 or values["high"] < 0
    doubt = "" if sure else "; the interval holds 0, so that it may be chance"
    turned = "; the groups change places" if values["reversed"] else ""
    return (
        f"Removing them is predicted to worsen {'' if own else 'another gap: '}{plain(inline(METRICS[work.metric].label))} by "
        f"{plain(feature)} from {number(values['before'])} to {number(values['after'])} (95% interval of the change "
        f"{plain(interval(values['low'], values['high']))}){doubt}{turned}."
    )
