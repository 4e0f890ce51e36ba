"""Prove: whether the removed records are forgotten, and who pays."""

from __future__ import annotations

import streamlit as st

import core
from core.errors import RedressError
from core.verification.verify import VERDICTS, Proof
from core.words import count, plain, seconds
from dashboard import cached, meaning
from dashboard.app_pages.remove import changes, kept_aside
from dashboard.components import computing, opening, pages, proving
from dashboard.components.face import group_bars
from dashboard.components.tables import worded
from dashboard.work import Work

KINDS = {"forgotten": "success", "not_forgotten": "error", "not_shown": "warning"}
COMPARED = (
    "trained again",
    "unlearned",
    "On the same rows: the model trained again without the records, and the unlearned one.",
)
HOLDS = {True: "holds", False: "fails", None: ""}


def show(work: Work) -> None:
    """Show the proof of the version in force, made on request."""
    result = proving.whole(work)
    if result is None:
        st.info("Nothing was removed yet, so there is nothing to prove. Find the records to remove first.")
        st.page_link(
            pages.page(pages.FIND), label="Find records", icon=":material/arrow_forward:", icon_position="right"
        )
        return
    left, right = st.columns([3, 2], gap="large")
    with right:
        group_bars.show(work)
        kept_aside.show(work)
    with left:
        _proof(work, result)


def _proof(work: Work, result: core.UnlearnResult) -> None:
    st.markdown(f"#### {count(result.n_forgotten, 'removed record')}: forgotten?")
    asked = (work.metric, work.feature)
    if not computing.requested(work, proving.PROOF, proving.LABEL, *asked):
        st.caption(
            "Trains the model again without them and compares; attacks the unlearned model as somebody would who wants to know whether a record was in "
            "the training data, held against models trained again; searches the model for their rows. A few to some dozen trainings."
        )
        return
    try:
        found = proving.proof(work, result)
    except RedressError as error:
        st.error(plain(error))
        computing.offer_again(error, work, proving.PROOF)
        return
    if found is None:
        computing.place(work, proving.PROOF, *asked)
        return
    _verdict(found)
    _checks(found)
    with st.expander("Every metric: trained again against unlearned"):
        table = changes.readable(found.metrics, cached.case(work).roles)
        st.dataframe(**worded(table, changes.columns(COMPARED)), lazy=False)
    st.page_link(
        pages.page(pages.REPORT),
        label="Write it down, on Report",
        icon=":material/arrow_forward:",
        icon_position="right",
    )


def _verdict(found: Proof) -> None:
    getattr(st, KINDS[found.verdict])(f"**{VERDICTS[found.verdict]}**")
    quicker = found.seconds_refit / max(found.seconds_unlearn, 1e-9)
    times = f"Removed in {seconds(found.seconds_unlearn)}, trained again in {seconds(found.seconds_refit)}"
    st.caption(f"{times}: {quicker:,.0f} times as long." if quicker >= 2 else f"{times}.")


def _checks(found: Proof) -> None:
    parts = [
        ("Against training again", found.retrain_gap.sentence),
        ("Search of the model", found.residue.sentence),
        *((f"{meaning.attack_name(one.attack)}", one.sentence) for one in found.membership),
    ]
    if found.guardrails is not None:
        parts.append(("Who pays", found.guardrails.sentence))
    for title, sentence in parts:
        st.markdown(f"**{title}.** {plain(sentence)}")
    for note in found.notes:
        st.caption(f":material/info: {plain(note)}")
    table = found.to_frame()
    table["holds"] = [
        HOLDS[one] if one is None or isinstance(one, bool) else HOLDS[bool(one)] for one in table["holds"]
    ]
    config = st.column_config
    columns = {
        "check": config.TextColumn("check"),
        "value": config.NumberColumn(
            "value", format="%.4f", help="Distances and excesses: 0 is what training again gives."
        ),
        "holds": config.TextColumn("holds"),
    }
    st.dataframe(**worded(table, columns), hide_index=True, lazy=False)


show(opening.opened())
