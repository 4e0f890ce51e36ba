"""Where the versions of a case stand when they are drawn as a tree."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.work import Work


@dataclass(frozen=True)
class VersionPlace:
    """A version in the tree: how many steps from the start, and in which line of them."""

    number: int
    parent: int | None
    depth: int
    line: int


def places(work: Work) -> list[VersionPlace]:
    """Return the place of every version, by number.

    What was made first from a version goes on in its line, everything else starts a new one below.

    Examples
    --------
    >>> from dashboard.history import Step
    >>> work = Work("id", None, "m", "sex").taking(Step("unlearn", (1,))).taking(Step("refit")).going(0).taking(Step("converge"))
    >>> [(one.number, one.depth, one.line) for one in places(work)]
    [(0, 0, 0), (1, 1, 0), (2, 2, 0), (3, 1, 1)]
    """
    children: dict[int, list[int]] = {}
    for number in range(1, len(work.made) + 1):
        children.setdefault(work.parent(number), []).append(number)
    found: dict[int, VersionPlace] = {}
    waiting: list[tuple[int, int | None, int]] = [(0, None, 0)]
    lines = 0
    while waiting:
        number, parent, line = waiting.pop()
        if line < 0:
            lines += 1
            line = lines
        found[number] = VersionPlace(number, parent, 0 if parent is None else found[parent].depth + 1, line)
        first, *others = children.get(number, [-1])
        waiting += [(other, number, -1) for other in reversed(others)]
        waiting += [(first, number, line)] if first > 0 else []
    return [found[number] for number in range(len(work.made) + 1)]


def title(work: Work, number: int) -> str:
    """Return what led to a version, in a few words."""
    steps = work.path(number)
    return steps[-1].title if steps else "as opened"
