"""Orders in which transformers can stand before a model, by names and numbers of columns.

The search goes backwards from the model: what stands before something must give the columns that it takes. A transformer takes the
whole table, or, where names tell, some of its columns while the others pass by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from core.files.models.chain.preparers import Names, Preparer, computes

MOST_ORDERS = 200
MOST_SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class Flow:
    """The columns between two steps.

    Parameters
    ----------
    names : tuple of str or None
    n : int
    """

    names: Names
    n: int


@dataclass(frozen=True)
class Stage:
    """Transformers that work side by side.

    Parameters
    ----------
    steps : tuple of Preparer
        One that takes the whole table, or several of which each takes columns of its own.
    before, after : Flow
        The columns that come in, and those that must come out.
    whole : bool
        Whether one step takes all columns.
    """

    steps: tuple[Preparer, ...]
    before: Flow
    after: Flow
    whole: bool


Order = tuple[Stage, ...]


def orders(steps: Sequence[Preparer], model: Flow, supposed: Callable[[int], Names]) -> list[Order]:
    """Return every order of all steps that fits before a model.

    Cost grows with the factorial of the number of steps, as far as widths let several orders stand.

    Parameters
    ----------
    steps : sequence of Preparer
    model : Flow
        The columns that the model takes.
    supposed : callable
        Gives names for columns that have none, by their number; or None.

    Returns
    -------
    list of tuple of Stage
        The first stage first; orders that differ only in what stands side by side are one.
    """
    found: dict[tuple[frozenset[int], ...], Order] = {}
    for order in _before(frozenset(range(len(steps))), steps, model, supposed):
        if _leaves_words_late(order):
            continue
        joined = _joined(order)
        key = tuple(frozenset(id(step) for step in stage.steps) for stage in joined)
        found.setdefault(key, joined)
        if len(found) >= MOST_ORDERS:
            break
    return list(found.values())


def _leaves_words_late(order: Order) -> bool:
    """Tell whether words would come to a step that computes with them, before they are encoded."""
    computed: set[str] = set()
    for stage in order:
        for step in stage.steps:
            if step.words and computed & set(step.takes or ()):
                return True
            if computes(step):
                computed |= set((stage.before.names if stage.whole else step.takes) or ())
    return False


def _before(
    left: frozenset[int], steps: Sequence[Preparer], after: Flow, supposed: Callable[[int], Names]
) -> Iterator[Order]:
    if not left:
        yield ()
        return
    for place in sorted(left):
        stage = stage_of(steps[place], after, supposed)
        if stage is not None:
            for earlier in _before(left - {place}, steps, stage.before, supposed):
                yield (*earlier, stage)


def stage_of(step: Preparer, after: Flow, supposed: Callable[[int], Names]) -> Stage | None:
    """Return how a step stands before certain columns; None where it cannot."""
    if step.made is not None and step.n_gives == after.n and (before := _whole(step, after)) is not None:
        return Stage((step,), before, after, whole=True)
    names = supposed(after.n) if after.names is None else after.names
    if names is None or step.takes is None or step.gives is None or not set(step.gives) <= set(names):
        return None
    after = replace(after, names=names)
    if step.keeps:
        return Stage((step,), after, after, whole=False)
    others = [name for name in names if name not in step.gives]
    if set(others) & set(step.takes):
        return None
    at = sum(name in others for name in names[: min(names.index(one) for one in step.gives)])
    raw = (*others[:at], *step.takes, *others[at:])
    return Stage((step,), Flow(raw, len(raw)), after, whole=False)


def _whole(step: Preparer, after: Flow) -> Flow | None:
    if step.takes is None:
        return Flow(after.names if step.keeps else None, step.n_takes)
    if step.keeps and after.names is not None and set(step.takes) != set(after.names):
        return None
    return Flow(step.takes, step.n_takes)


def _joined(order: Order) -> Order:
    """Let neighbouring stages be one where each takes columns that the other leaves alone."""
    done: list[Stage] = []
    for stage in order:
        before = done[-1] if done else None
        if before is None or stage.whole or before.whole or _meet(before, stage):
            done.append(stage)
        else:
            done[-1] = Stage((*before.steps, *stage.steps), before.before, stage.after, whole=False)
    return tuple(done)


def _meet(first: Stage, second: Stage) -> bool:
    touched = {name for step in first.steps for name in (*(step.takes or ()), *(step.gives or ()))}
    return any(touched & {*(step.takes or ()), *(step.gives or ())} for step in second.steps)


def orders_beside(steps: Sequence[Preparer], model: Flow) -> list[Order]:
    """Return the orders of steps on columns of their own that together give a model's."""
    taken = [name for step in steps for name in step.takes or ()]
    if not 1 < len(steps) <= MOST_SIDE_BY_SIDE or any(step.takes is None for step in steps):
        return []
    if len(taken) != len(set(taken)) or sum(step.n_gives for step in steps) != model.n:
        return []
    raw = Flow(tuple(taken), len(taken))
    return [(Stage(one, raw, model, whole=False),) for one in permutations(steps)]
