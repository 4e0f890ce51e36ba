"""Report: what was done, written into a signed ledger, and evidence that anyone can check."""

from __future__ import annotations

import streamlit as st

import core
from core.errors import RedressError
from core.ledger.evidence import evidence_bytes
from core.words import count, plain
from dashboard import cached, session, workspace
from dashboard.components import opening, pages, proving
from dashboard.components.tables import worded
from dashboard.session import Key
from dashboard.work import Work


def show(work: Work) -> None:
    """Show the ledger of the case, a way to write the version in force down, and the evidence."""
    ledger = workspace.ledger(work.case_id)
    left, right = st.columns([2, 3], gap="large")
    with left:
        _write(work)
    with right:
        _timeline(ledger)
        _evidence(work, ledger)


def _write(work: Work) -> None:
    st.markdown("#### Write it down")
    result = proving.whole(work)
    if result is None:
        st.info(
            "Nothing was removed yet. What is written down is a removal: what was asked for, how it was done, and what it did."
        )
        st.page_link(
            pages.page(pages.FIND), label="Find records", icon=":material/arrow_forward:", icon_position="right"
        )
        return
    proof = proving.kept(work)
    st.markdown(
        f"Version {work.number}: {count(result.n_forgotten, 'record')} removed by {plain(result.method)}, {plain(result.claim)}. "
        f"{'With its proof.' if proof is not None else 'No proof was made yet; Prove makes one, and it is written down with it.'}"
    )
    st.text_input("Who writes this down", key=Key.REPORT_ACTOR, persist_state="session")
    st.text_input("Why the records were removed", key=Key.REPORT_REASON, persist_state="session")
    st.button(
        "Write into the ledger", type="primary", icon=":material/edit_document:", key=Key.REPORT_WRITE, on_click=_append
    )
    written = session.ledger_entry()
    if written is not None and written[0] == cached.key(work):
        st.success(f"Written down as {written[1][:16]}, chained to what was before and signed.")
    st.caption(
        "No values and no ids of records are written down, only keyed hashes of ids, so that a person can be looked up by who holds the key."
    )


def _append() -> None:
    work = session.work()
    if work is None:
        return
    actor, reason = (str(session.value(key) or "").strip() for key in (Key.REPORT_ACTOR, Key.REPORT_REASON))
    if not actor or not reason:
        session.notify("error", "An entry must say who writes it and why. Fill in both fields.")
        st.rerun()
    result = proving.whole(work)
    if result is None:
        return
    try:
        entry = workspace.ledger(work.case_id).append(
            result,
            actor=actor,
            reason=reason,
            metric=work.metric,
            sensitive_feature=work.feature,
            proof=proving.kept(work),
        )
    except RedressError as error:
        session.notify("error", str(error))
        st.rerun()
    session.notify()
    session.note_written(cached.key(work), entry.hash)
    st.rerun()


def _timeline(ledger: core.Ledger) -> None:
    st.markdown("#### Timeline")
    if not len(ledger):
        st.caption("Nothing is written down of this case yet.")
        return
    check = ledger.verify()
    if check:
        st.markdown(f":green[:material/verified:] {count(len(ledger))} written down; the chain is whole and signed.")
    else:
        st.error(f"The ledger is broken: {plain(' '.join(check.broken))}")
    st.dataframe(**worded(ledger.to_frame(), {}), hide_index=True, lazy=False)


def _evidence(work: Work, ledger: core.Ledger) -> None:
    if not len(ledger):
        return
    st.markdown("#### Evidence")
    st.download_button(
        "Evidence pack (zip)",
        lambda: _pack(work),
        "evidence.zip",
        "application/zip",
        icon=":material/download:",
        key=Key.REPORT_PACK,
        on_click="ignore",
    )
    st.caption(
        "Report, entries, tables, public key and signature. Anyone can check it, with this command and the fingerprint you hand over another way:"
    )
    st.code(f"python -m core verify-evidence evidence.zip --fingerprint {ledger.fingerprint}", language="console")
    st.download_button(
        "Model card (Markdown)",
        lambda: core.model_card(ledger, cached.case(work)).encode(),
        "model_card.md",
        "text/markdown",
        icon=":material/download:",
        key=f"{Key.REPORT_PACK}_card",
        on_click="ignore",
    )


def _pack(work: Work) -> bytes:
    return evidence_bytes(workspace.ledger(work.case_id))


show(opening.opened())
