"""News of the open case from another tab or person."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.work import Work


@dataclass(frozen=True)
class News:
    """The changes made elsewhere since this session last read or wrote the record of its case.

    Parameters
    ----------
    made : tuple of int
        Numbers of the versions made there.
    there : int
        The number of the version in force there.
    own : tuple of int
        Numbers of the versions made here without knowing of that.
    threshold : bool
        Whether the decision threshold was changed there.
    """

    made: tuple[int, ...]
    there: int
    own: tuple[int, ...] = ()
    threshold: bool = False


def news_of(last: Work, theirs: Work, now: Work) -> News | None:
    """Return the news in a record, None where a person needs to know nothing of it.

    Parameters
    ----------
    last : Work
        As the record was when this session last knew it.
    theirs : Work
        As the record is.
    now : Work
        As the work is here, knowing all versions of the record.
    """
    made = tuple(now.number_of(steps) for steps in theirs.made if steps not in last.made)
    own = tuple(i for i in range(1, len(now.made) + 1) if now.path(i) not in (*theirs.made, *last.made))
    threshold = theirs.threshold not in (last.threshold, now.threshold)
    moved = theirs.applied not in (last.applied, now.applied)
    there = now.number_of(theirs.applied)
    return News(made, there, own, threshold) if made or moved or threshold else None
