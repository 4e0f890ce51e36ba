"""The bars of the groups on a page, beside the tiles of the header and moving with them."""

from __future__ import annotations

from core.words import count
from dashboard import cached, session
from dashboard.components import header
from dashboard.components.face import mount, stops
from dashboard.work import Work

BARS = "face_bars"


def show(work: Work, *, sliding: bool = False) -> None:
    """Show the bars of the version in force or of the selection.

    Parameters
    ----------
    work : Work
    sliding : bool
        Whether to show the slider along the ranking, where that was looked at.
    """
    found, at, best = stops.all_stops(work)
    if not sliding:
        found, at, best = [found[at]], 0, 0
    mount.show_bars(
        found,
        cached.case(work, 0).roles,
        key=BARS,
        channel=header.channel(work) + ("" if sliding else "|alone"),
        at=at,
        rev=session.face_revision(),
        n_retained=cached.case(work).n_retained,
        best=best,
        chosen=f"{count(len(work.selection), 'record')} selected" if work.selection else "",
        stopped=_stopped,
    )


def show_described(work: Work) -> None:
    """Show the bars of the version in force on the rows that describe it."""
    mount.show_bars(
        [stops.described(work)],
        cached.case(work, 0).roles,
        key=f"{BARS}_described",
        channel=header.channel(work) + "|described",
    )


def _stopped() -> None:
    """Select as many of the first records of the ranking as the slider says."""
    said, work = mount.said_by_component(BARS, "stop"), session.work()
    if work is not None and said:
        header.select_first(work, int(said["size"]))
