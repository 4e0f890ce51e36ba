"""The state of one browser session; what it holds is named in `session_keys`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard.history import Edit
from dashboard.jobs import Job
from dashboard.measures import PlanSettings
from dashboard.session_keys import Key as Key
from dashboard.session_record import answer_news as answer_news
from dashboard.session_record import hear as hear
from dashboard.session_record import keep as keep
from dashboard.session_record import news as news
from dashboard.work import Work

CASE_PARAM = "case"


def work() -> Work | None:
    """Return the open case of this session, or None."""
    found: Work | None = st.session_state.get(Key.WORK)
    return found


def commit(new: Work) -> None:
    """Make `new` the state of this session, in one assignment, and keep it beside the case.

    Versions that were made since it was prepared stay known.
    """
    known = work()
    if known is not None and known.case_id == new.case_id:
        new = new.knowing(known.made, first=True)
        if known.applied != new.applied:  # What chart and table of the version before still send is not for this one.
            st.session_state[Key.PICKS] = picks() + 1
    st.session_state[Key.WORK] = new
    keep()


def hears_anew(problem: str) -> bool:
    """Return whether this session was not told this of the disk before, and note that it is."""
    last, st.session_state[Key.UNWRITTEN] = st.session_state.get(Key.UNWRITTEN, ""), problem
    return problem not in ("", last)


def close() -> None:
    """Close the open case."""
    st.session_state.pop(Key.WORK, None)
    st.session_state.pop(Key.KEPT, None)
    st.query_params.pop(CASE_PARAM, None)


def asked_case() -> str | None:
    """Return the case the address asks for."""
    found: str | None = st.query_params.get(CASE_PARAM)
    return found


def case_tried() -> str | None:
    """Return the case of the address that was tried already."""
    found: str | None = st.session_state.get(Key.REFUSED)
    return found


def refuse(case_id: str) -> None:
    """Note that the case of the address was tried; it is not tried again in this session."""
    st.session_state[Key.REFUSED] = case_id


def show_in_address(case_id: str) -> None:
    """Put the case into the address, where a page change left it out."""
    if st.query_params.get(CASE_PARAM) != case_id:
        st.query_params[CASE_PARAM] = case_id


def jobs() -> dict[str, Job]:
    """Return the work under way, by what it is about."""
    found: dict[str, Job] = st.session_state.get(Key.JOBS, {})
    return dict(found)


def add_job(about: str, new: Job) -> None:
    """Note work under way; earlier work about the same is given up."""
    drop_job(about)
    st.session_state[Key.JOBS] = {**jobs(), about: new}


def drop_job(about: str, only: Job | None = None) -> None:
    """Give work up, or let go of it once it has ended; `only` spares what took its place."""
    known = jobs()
    if about in known and (only is None or known[about] is only):
        known.pop(about).cancel()
        st.session_state[Key.JOBS] = known


def give_up(about: str) -> None:
    """Give work up because the person wants it.

    A result is not asked for again before `ask_again`, unless a part of it is kept.
    """
    job = jobs().get(about)
    if job is not None and job.partial:
        job.stop()
        return
    if job is not None and job.name:
        refuse_result(job.name)
    drop_job(about)


def refuse_result(name: tuple[Any, ...]) -> None:
    """Note that the person gave a result up."""
    st.session_state[Key.GIVEN_UP] = {*st.session_state.get(Key.GIVEN_UP, ()), name}


def given_up(name: tuple[Any, ...]) -> bool:
    """Return whether the person gave a result up."""
    return name in st.session_state.get(Key.GIVEN_UP, ())


def ask_again(name: tuple[Any, ...]) -> None:
    """Let a result that was given up be made after all."""
    st.session_state[Key.GIVEN_UP] = st.session_state.get(Key.GIVEN_UP, set()) - {name}


def ask_for(name: tuple[Any, ...]) -> None:
    """Note that the person wants a result that is made only on request."""
    st.session_state[Key.ASKED] = {*st.session_state.get(Key.ASKED, ()), name}
    ask_again(name)


def asked_for(name: tuple[Any, ...]) -> bool:
    """Return whether the person asked for a result, and did not give it up since."""
    return name in st.session_state.get(Key.ASKED, ()) and not given_up(name)


def plan() -> tuple[Work, PlanSettings] | None:
    """Return the plan asked for last: where it started, and its settings."""
    found: tuple[Work, PlanSettings] | None = st.session_state.get(Key.PLAN)
    return found


def set_plan(origin: Work, settings: PlanSettings) -> None:
    """Note the plan that is asked for."""
    st.session_state[Key.PLAN] = (origin, settings)


def notice() -> tuple[str, str] | None:
    """Return the last message, as its kind ("done" or "error") and a sentence."""
    found: tuple[str, str] | None = st.session_state.get(Key.NOTICE)
    return found


def notify(kind: str = "", sentence: str = "") -> None:
    """Set the message shown on the page; nothing takes it away."""
    st.session_state[Key.NOTICE] = (kind, sentence) if sentence else None


def draft() -> dict[str, Any]:
    """Return the uploaded parts of a case that is not open yet, by name."""
    return dict(st.session_state.get(Key.DRAFT, {}))


def draft_part(which: str, content: Any) -> None:
    """Keep an uploaded part; None takes it away."""
    parts = draft()
    parts.pop(which, None)
    st.session_state[Key.DRAFT] = parts if content is None else {**parts, which: content}


def clear_draft() -> None:
    """Forget the uploaded parts, and empty the fields they came in by."""
    st.session_state.pop(Key.DRAFT, None)
    st.session_state[Key.DRAFTS] = drafts() + 1


def drafts() -> int:
    """Return how many drafts there were before.

    Part of the upload fields' keys, so that each draft starts with empty ones.
    """
    return int(st.session_state.get(Key.DRAFTS, 0))


def value(key: str) -> Any:
    """Return the value of a widget in its own callback."""
    return st.session_state.get(key)


def start_at(key: str, first: Any) -> None:
    """Give a widget that is also set from elsewhere its first value."""
    st.session_state.setdefault(key, first)


def set_value(key: str, new: Any) -> None:
    """Set a widget's value from another widget's callback."""
    st.session_state[key] = new


def ledger_entry() -> tuple[str, str] | None:
    """Return the version last written into the ledger from this session, and the entry's hash."""
    found: tuple[str, str] | None = st.session_state.get(Key.REPORT_WRITTEN)
    return found


def note_written(version: str, entry: str) -> None:
    """Note that a version was written into the ledger."""
    st.session_state[Key.REPORT_WRITTEN] = (version, entry)


def picks() -> int:
    """Return how often the selection was set.

    Part of the keys of chart and table, so that they start afresh from it.
    """
    return int(st.session_state.get(Key.PICKS, 0))


def face_revision() -> str:
    """Return what changes when the slider is set from elsewhere than the slider itself."""
    return str(st.session_state.get(Key.FACE, 0))


def turn_to(page: str) -> None:
    """Go to another page once this callback is over."""
    st.session_state[Key.TURN] = page


def turned_to() -> str:
    """Return the page asked for by `turn_to`, once."""
    return str(st.session_state.pop(Key.TURN, ""))


def select(ids: Iterable[Any], *, fresh: bool = True, taken: bool = False, moved: bool = False) -> None:
    """Make `ids` the selection.

    `fresh` starts chart and table anew from it, `taken` leaves the number as it is, `moved` the slider.
    """
    now = work()
    if now is None:
        return
    commit(replace(now, selection=tuple(ids), edit=None))
    set_problem("")
    if not moved:
        st.session_state[Key.FACE] = st.session_state.get(Key.FACE, 0) + 1
    if not taken:
        set_value(Key.FIND_NUMBER, 0)
        note_taken(0)
    if fresh:
        st.session_state[Key.PICKS] = picks() + 1


def give(edit: Edit | None) -> None:
    """Set what the selected records are to be given; None: they are to be removed."""
    now = work()
    if now is not None and now.edit != edit:
        commit(replace(now, edit=edit))
        st.session_state[Key.FACE] = st.session_state.get(Key.FACE, 0) + 1


def revealed(case_id: str) -> bool:
    """Return whether the answer to a demonstration was asked for in this session."""
    return case_id in st.session_state.get(Key.REVEALED, ())


def reveal(case_id: str) -> None:
    """Show the answer to a demonstration from now on."""
    st.session_state[Key.REVEALED] = {*st.session_state.get(Key.REVEALED, ()), case_id}


def number_taken() -> int:
    """Return how many of the most harmful records were taken.

    0 where something else set the selection.
    """
    return int(st.session_state.get(Key.FIND_TAKEN, 0))


def note_taken(n: int) -> None:
    """Note how many of the most harmful records are selected."""
    st.session_state[Key.FIND_TAKEN] = n


def pinned() -> tuple[int, ...]:
    """Return the versions of the open case that are held for comparing, two at most."""
    now, (case_id, numbers) = work(), st.session_state.get(Key.PINNED, ("", ()))
    return tuple(numbers) if now is not None and now.case_id == case_id else ()


def pin(numbers: Iterable[int]) -> None:
    """Hold versions for comparing, the last two of them."""
    now = work()
    if now is not None:
        st.session_state[Key.PINNED] = (now.case_id, tuple(dict.fromkeys(numbers))[-2:])


def record() -> Any:
    """Return the id of the record that is open, or None."""
    return st.session_state.get(Key.RECORD)


def record_from_table() -> bool:
    """Return whether the open record was opened in the table of records.

    It is shown below that then.
    """
    return bool(st.session_state.get(Key.RECORD_FROM_TABLE))


def open_record(record_id: Any, *, from_table: bool = False) -> None:
    """Open a record beside the chart, or below the table it was opened in; None closes it."""
    st.session_state[Key.RECORD] = record_id
    st.session_state[Key.RECORD_FROM_TABLE] = from_table


def problem() -> str:
    """Return why the last removal was refused, or an empty string."""
    return str(st.session_state.get(Key.PROBLEM, ""))


def set_problem(sentence: str) -> None:
    """Note why a removal was refused."""
    st.session_state[Key.PROBLEM] = sentence


def in_doubt() -> tuple[Any, ...] | None:
    """Return the removal that a person is asked about once more, or None."""
    found: tuple[Any, ...] | None = st.session_state.get(Key.DOUBT)
    return found


def doubt(removal: tuple[Any, ...] | None) -> None:
    """Ask once more before this removal; None asks no longer."""
    st.session_state[Key.DOUBT] = removal
