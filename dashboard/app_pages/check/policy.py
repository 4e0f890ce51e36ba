"""The rates and gaps held against a policy profile, which anyone may change."""

from __future__ import annotations

from typing import Any

import streamlit as st

import core
from core.errors import RedressError
from core.metrics.policies.held import PolicyTable, held_against_profile
from core.metrics.policies.profile import SHIPPED, profile_of_text
from core.words import plain
from dashboard import cached, session, workspace
from dashboard.components.tables import download, worded
from dashboard.session import Key
from dashboard.work import Work

OWN = "own"


def show(work: Work) -> None:
    """Show the profile kept with the case, and the tables that its rules lay out."""
    profile = _kept(work)
    texts = {name: core.policy_profile(name).text for name in SHIPPED}
    own = next((name for name, text in texts.items() if text == profile.text), OWN)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Policy profile",
            [*SHIPPED, *([OWN] if own == OWN else [])],
            [*SHIPPED, OWN].index(own),
            format_func=lambda name: profile.name if name == OWN else core.policy_profile(name).name,
            key=f"{Key.CHECK_POLICY}_{hash(profile.text)}",
            width=420,
            on_change=_choose,
            args=(work, f"{Key.CHECK_POLICY}_{hash(profile.text)}"),
            help="A convention to look by, kept with the case. None of them says what is allowed.",
        )
        _change(work, profile)
    st.caption(plain(f"{profile.about} Dated {profile.date.isoformat()}; {profile.source}."))
    try:
        report = cached.report(work, profile.needs, None, on=cached.rows_of_version(work))
        held = held_against_profile(report, profile)
    except RedressError as error:
        st.info(plain(error))
        return
    for number, one in enumerate(held):
        _table(number, one)
    for note in held.notes:
        st.caption(f":material/info: {plain(note)}")
    download(held.to_frame(), "policy")


def _kept(work: Work) -> core.PolicyProfile:
    """Return the profile kept with the case, or the first one that comes with the package."""
    text = workspace.read(work.case_id).get("policy")
    try:
        return profile_of_text(text) if isinstance(text, str) else core.policy_profile(SHIPPED[0])
    except RedressError:
        return core.policy_profile(SHIPPED[0])


def _keep(work: Work, text: str) -> None:
    workspace.note(work.case_id, lambda kept: {**kept, "policy": text})


def _choose(work: Work, key: str) -> None:
    name = session.value(key)
    if name in SHIPPED:
        _keep(work, core.policy_profile(name).text)


def _change(work: Work, profile: core.PolicyProfile) -> None:
    with st.popover("Change", icon=":material/edit:", width=140):
        key = f"{Key.CHECK_POLICY_TEXT}_{hash(profile.text)}"
        text = st.text_area("The profile, as TOML", profile.text, height=420, key=key, width=620)
        if st.button("Use it", key=Key.CHECK_POLICY_USE):
            try:
                _keep(work, profile_of_text(text).text)
            except RedressError as error:
                st.error(plain(error))
            else:
                st.rerun()
        st.download_button(
            "Download", text.encode(), "policy.toml", "application/toml", on_click="ignore", key=Key.CHECK_POLICY_FILE
        )


def _table(number: int, one: PolicyTable) -> None:
    st.markdown(f"**{plain(one.rule.title)}**, {plain(one.sensitive_feature)}")
    said = one.sentence.removeprefix(f"{one.rule.title}, {one.sensitive_feature}: ")
    st.caption(plain(f"{said[:1].upper()}{said[1:]}"))
    st.dataframe(
        **worded(one.table.rename_axis("group"), _columns()),
        lazy=False,
        key=f"table_policy_{number}_{one.sensitive_feature}",
    )


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "n": config.NumberColumn("n", help="Rows of the group.", format="localized"),
        "share": config.NumberColumn("of all", help="Their share of all rows.", format="percent"),
        "hits": config.NumberColumn("count", help="Rows that the rate counts.", format="localized"),
        "rate": config.NumberColumn("rate", help="The rate of the group.", format="%.3f"),
        "ratio": config.NumberColumn("impact ratio", help="The rate over the highest group's.", format="%.3f"),
        "p_value": config.NumberColumn("p", help="Fisher's exact test against that group.", format="%.4f"),
        "q_value": config.NumberColumn(
            "q", help="p corrected for all looked at (Benjamini & Hochberg).", format="%.4f"
        ),
        "value": config.NumberColumn("value", help="The gap.", format="%.3f"),
        "low": config.NumberColumn("from", help="Lower end of its 95% interval.", format="%.3f"),
        "high": config.NumberColumn("to", help="Upper end of its 95% interval.", format="%.3f"),
        "limit": config.NumberColumn("limit", help="What the profile holds it against.", format="%.2f"),
        "worst_group": config.TextColumn("bad end"),
        "best_group": config.TextColumn("good end"),
        "mark": config.TextColumn("mark", width=220),
    }
