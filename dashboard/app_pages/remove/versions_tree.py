"""The versions as a tree: go to one, or pin two to compare them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.errors import RedressError
from core.metrics.guardrails.result import VERDICT_WORDS
from core.metrics.samples import feature_name
from core.words import number as as_number
from core.words import percent, plain
from dashboard import cached, meaning, session, tree
from dashboard.app_pages.remove import changes
from dashboard.components import opening, verdict, version_tree
from dashboard.components.tables import worded
from dashboard.session import Key
from dashboard.tables import row
from dashboard.work import Work


def show(work: Work) -> None:
    """Show the tree, what is pinned, and the comparison of two pinned versions."""
    with st.container(border=True):
        st.markdown("#### Versions")
        nodes = [_node(work, place) for place in tree.places(work)]
        version_tree.show(nodes, work.number, session.pinned(), key=Key.VERSION_TREE, go=go, pin=_toggle)
        _pins(work)
        pinned = session.pinned()
        if len(pinned) == 2:
            _comparison(work, *pinned)


def _node(work: Work, place: tree.VersionPlace) -> dict[str, Any]:
    there, title = work.going(place.number), tree.title(work, place.number)
    note, tone = _note(there)
    now = ", in force" if place.number == work.number else ""
    return {
        "number": place.number,
        "parent": place.parent,
        "x": place.depth,
        "y": place.line,
        "title": f"{place.number} · {title}",
        "note": note,
        "tone": tone,
        "spoken": f"Version {place.number}, {title}, {note.replace(' · ', ', ')}{now}",
    }


def _note(there: Work) -> tuple[str, str]:
    """Return the gap and accuracy of a version in few words, and its tone."""
    if not cached.is_kept(there):
        return "measured once gone to", "unknown"
    found = cached.report(there, (there.metric, "accuracy"), (there.feature,))
    gap = row(found.gaps, (there.metric, feature_name(there.feature)))["value"]
    words = f"gap {as_number(gap)} · {percent(float(found.overall['accuracy']))}"
    judged = cached.known_verdict(there) if there.at else None
    if judged is None or judged.side is None or not judged.side.asks_again:
        return words, "flat"
    return f"{words} · {VERDICT_WORDS[judged.side.verdict].removeprefix('fairer by ')}", "bad"


def go(number: int) -> None:
    """Show another version."""
    work = session.work()
    if work is not None and number != work.number:
        opening.go_to(work.going(number))
    st.rerun()


def _toggle(number: int) -> None:
    """Pin a version, or let go of it."""
    pinned = session.pinned()
    _pin([one for one in pinned if one != number] if number in pinned else [*pinned, number])


def _pin(numbers: list[int]) -> None:
    work = session.work()
    session.pin(numbers)
    session.set_value(Key.PINS, list(session.pinned()))
    if work is not None:
        for number in session.pinned():
            opening.bring(work.going(number))


def _pins(work: Work) -> None:
    """Show which versions are pinned, as a choice of its own beside the tree."""
    session.set_value(Key.PINS, list(session.pinned()))
    st.pills(
        "Pinned to compare",
        range(len(work.made) + 1),
        selection_mode="multi",
        format_func=lambda number: f"{number}: {tree.title(work, number)}",
        key=Key.PINS,
        on_change=_pinned_by_hand,
        help="Two versions on the same rows: what changes from the first to the second, and who pays.",
    )


def _pinned_by_hand() -> None:
    before, chosen = session.pinned(), session.value(Key.PINS) or []
    _pin([*(one for one in before if one in chosen), *(one for one in chosen if one not in before)])


def _comparison(work: Work, one: int, other: int) -> None:
    away = [number for number in (one, other) if not cached.is_kept(work.going(number))]
    if away:
        st.caption(f"Version {away[0]} is being made again.")
        return
    st.markdown(f"**From version {one} ({tree.title(work, one)}) to version {other} ({tree.title(work, other)})**")
    try:
        judged = cached.judged_between(work, one, other)
    except RedressError as error:
        st.error(plain(error))
        return
    verdict.banner(judged, predicted=False)
    words = (f"version {one}", f"version {other}", "On the same test rows, those searched.")
    readable = changes.readable(judged.by(work.feature), cached.case(work).roles)
    st.dataframe(**worded(readable, changes.columns(words)), lazy=False, height=280, key=f"{Key.PINS}_compared")
    st.caption(
        f"{meaning.label(work.metric, cached.case(work).roles)} first; paired on {judged.table.attrs['n']:,} test rows searched."
    )


def version_button(work: Work, number: int, place: str) -> None:
    """Show a button that goes to a version."""
    st.button(
        f"Go to version {number}",
        icon=":material/arrow_forward:",
        key=f"{Key.VERSION_GO}_{place}",
        disabled=number == work.number,
        on_click=go,
        args=(number,),
    )


def buttons(work: Work, number: int) -> None:
    """Show buttons that go to a version and pin it."""
    version_button(work, number, "table")
    held = number in session.pinned()
    st.button(
        f"Unpin version {number}" if held else f"Pin version {number}",
        icon=":material/keep:",
        key=Key.VERSION_PIN,
        on_click=_toggle,
        args=(number,),
    )
