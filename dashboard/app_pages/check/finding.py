"""The finding: the largest gap beyond chance, in a sentence with counts.

Searched over everything the audit looked at.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.metrics.finding import GapFinding
from core.typing import Feature
from core.words import chance, plain
from dashboard import cached, meaning, session
from dashboard.components.face.moment import moment_of
from dashboard.components.face.tiles import gap_in_points, unit
from dashboard.session import Key
from dashboard.work import Work


def show(work: Work) -> None:
    """Show the finding, and a way to look at its gap where another is chosen."""
    found = cached.report(work, None, None, on=cached.rows_of_version(work)).finding
    if found is None:
        st.markdown(
            "#### No gap beyond chance\nNone of the gaps looked at is larger than chance makes it, corrected for looking at all of them."
        )
        return
    feature = _feature(work, found)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### {_headline(work, found)}\n{_counts(work, found, feature)}", width="stretch")
        if (found.metric, feature) != (work.metric, work.feature):
            st.button(
                "Look at this gap",
                key=Key.CHECK_FINDING,
                icon=":material/my_location:",
                on_click=_choose,
                args=(found.metric, feature),
            )


def _feature(work: Work, found: GapFinding) -> Feature:
    """Return the sensitive feature as it is chosen: one column, or all of them."""
    names = tuple(cached.case(work, 0).roles.sensitive_features)
    return found.sensitive_feature if found.sensitive_feature in names else names


def _headline(work: Work, found: GapFinding) -> str:
    label = meaning.label(found.metric, cached.case(work, 0).roles)
    size = f"{gap_in_points(found.value, found.metric)} {unit(found.metric)}".rstrip()
    return plain(f"{label} by {found.sensitive_feature}: {size}")


def _counts(work: Work, found: GapFinding, feature: Feature) -> str:
    on = cached.rows_of_version(work)
    now = moment_of(cached.report(work, (found.metric, "accuracy"), (feature,), on=on), found.metric, feature)
    ends = [level for level in (now.level(found.worst_group), now.level(found.best_group)) if level is not None]
    sides = " against ".join(f"{level.group} {level.shown} ({level.counted})" for level in ends)
    why = f"The largest gap beyond chance (q {chance(found.q_value)}, corrected for the {found.n_tested} looked at)"
    return plain(f"{why}. {meaning.of_levels(found.metric, cached.case(work, 0).roles)}: {sides}.")


def _choose(metric: str, feature: Feature) -> None:
    work = session.work()
    if work is not None:
        session.commit(replace(work, metric=metric, feature=feature))
