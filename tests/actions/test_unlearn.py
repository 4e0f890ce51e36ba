"""Removals and edits report how their case is prepared, once, and can be given up there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import core
from core.typing import Progress

CHANGES: dict[str, Callable[[core.Case, Progress], core.UnlearnResult]] = {
    "unlearn": lambda case, progress: core.unlearn(case, ["p1"], progress=progress),
    "edit": lambda case, progress: core.edit(case, {"p1": 1 - case.train_labels[1]}, progress=progress),
    "converge": lambda case, progress: core.converge(case, progress=progress),
}


@pytest.mark.parametrize("name", CHANGES)
def test_preparing_is_reported_the_first_time_and_can_be_given_up(small_case: core.Case, name: str) -> None:
    case = core.Case(small_case.model, small_case.train, small_case.test, small_case.roles)
    seen: list[tuple[float, str]] = []

    def give_up(share: float, doing: str) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CHANGES[name](case, give_up)
    result: Any = CHANGES[name](case, lambda share, doing: seen.append((share, doing)))
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    assert (seen[0][0], seen[-1][0]) == (0.0, 1.0)
    assert all(doing for _, doing in seen)
    assert result.seconds_prepare > 0.0
    seen.clear()
    assert CHANGES[name](case, lambda share, doing: seen.append((share, doing))).seconds_prepare == 0.0
    assert seen == []
