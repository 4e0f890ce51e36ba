"""How trees come to know other rows, or rows by other labels.

Updated in compiled code, or built anew where much of one changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from core.families.forest.tree import (
    LARGE,
    NO_INTS,
    TOGETHER,
    Bench,
    LivingTree,
    Marks,
    Memory,
    Roots,
    grow,
    standing_on,
    weight_of,
    with_tree,
)
from core.numerics.trees.arrays import CLASS_MASK, Rules, Table
from core.numerics.trees.drawn import Lines, kept_lines, room_for_lines, update_drawn
from core.numerics.trees.moves import keep_rows, keep_unchanged
from core.numerics.trees.update import Change, update
from core.typing import Bools, Ints

MANY = 8
"""Where more than one row in so many leaves, building the tree anew is quicker."""


class TreeStep(NamedTuple):
    """How a tree comes to know other rows, or rows by other labels.

    Parameters
    ----------
    tree : LivingTree
    gone : ndarray of int32
        Rows that leave it; it knows all of them.
    joining : ndarray of int32
        Rows that join it; those with another label are among both.
    roots : Roots
        With the labels that rows have then.
    """

    tree: LivingTree
    gone: Ints
    joining: Ints
    roots: Roots

    @property
    def anew(self) -> bool:
        """Whether building the tree anew is the way to take it."""
        return self.tree.fragile or (len(self.gone) + len(self.joining)) * MANY > len(self.tree.samples)

    def taken(self, table: Table, rules: Rules, stays: Bools, bench: Bench) -> LivingTree:
        """Return the tree after it; `stays` is as `Place` holds it, then."""
        tree = self.tree
        if self.anew:
            return grow(table, rules, self.roots, self._samples(stays), tree.estimator, bench)
        if isinstance(tree.memory, Lines):
            return self._taken_on_lines(table, rules, stays, tree.memory, bench)
        return _updated_together([self], table, rules, stays, bench)[0]

    def change(self) -> Change:
        """Return what the update of the tree starts from."""
        tree, gone, joining, roots = self
        memory: Any = tree.memory
        samples = _room_for_samples(tree, len(gone), joining)
        offset = 0 if memory.to_share is None else len(memory.shared)
        return Change(
            roots.draws, roots.labels, tree.roots.labels, tree.samples, gone, samples, len(joining), tree.grown, memory.shared,
            memory.own, offset,
        )  # fmt: skip

    def _samples(self, stays: Bools) -> Ints:
        """Return the rows that stay, as they stand, then those that join."""
        samples = _room_for_samples(self.tree, len(self.gone), self.joining)
        kept = samples[: len(samples) - len(self.joining)]
        if len(self.gone) and len(self.joining):
            keep_unchanged(self.tree.samples, stays, self.roots.labels, self.tree.roots.labels, kept)
        else:
            keep_rows(self.tree.samples, self.gone, stays, kept)
        return samples

    def _taken_on_lines(self, table: Table, rules: Rules, stays: Bools, lines: Lines, bench: Bench) -> LivingTree:
        """Return the tree, whose thresholds are drawn, after the step."""
        tree, gone, joining, roots = self
        samples = self._samples(stays)
        bench.moves.pool[: len(gone)] = gone
        draws, room = roots.draws, room_for_lines(len(samples), table)
        n_nodes, fragile, now = update_drawn(
            table, rules, draws, roots.labels, tree.roots.labels, samples, tree.grown, lines, len(gone), len(joining), draws.seed,
            weight_of(roots.labels, samples), bench.out, room.first, room.lines, LARGE, bench.moves, bench.scratch,
        )  # fmt: skip
        remembered = kept_lines(room, now, n_nodes)
        return standing_on(bench, n_nodes, tree.estimator, roots, samples, remembered, bool(fragile))


def leaving(tree: LivingTree, gone: Ints) -> TreeStep:
    """Return the step of rows that leave a tree, every one of which it knows."""
    return TreeStep(tree, gone, NO_INTS, tree.roots)


def joining(tree: LivingTree, rows: Ints) -> TreeStep:
    """Return the step of rows that join a tree by the labels they have there.

    The tree knows none of them.
    """
    return TreeStep(tree, NO_INTS, rows, tree.roots)


def relabelling(tree: LivingTree, rows: Ints, labels: Ints) -> TreeStep:
    """Return the step to other labels, as `Roots` holds them, which may differ at `rows`.

    A row without weight is not in a tree.
    """
    were = tree.roots.labels
    other = rows[labels[rows] != were[rows]]
    gone, coming = other[were[other] > CLASS_MASK], other[labels[other] > CLASS_MASK]
    return TreeStep(tree, gone, coming, replace(tree.roots, labels=labels))


def after_steps(steps: Sequence[TreeStep], table: Table, rules: Rules, stays: Bools, bench: Bench) -> list[LivingTree]:
    """Return up to `TOGETHER` trees after steps of their own, as `Step.taken` gives each.

    It takes one call of compiled code where it can.
    """
    if any(isinstance(step.tree.memory, Lines) or step.anew for step in steps):
        return [step.taken(table, rules, stays, bench) for step in steps]
    return _updated_together(steps, table, rules, stays, bench)


def _updated_together(
    steps: Sequence[TreeStep], table: Table, rules: Rules, stays: Bools, bench: Bench
) -> list[LivingTree]:
    """Return trees after steps of which none is to be taken by building anew."""
    changes = [step.change() for step in steps]
    bench = bench if len(changes) == 1 else bench.wide
    bench.call(
        update, table, rules, tuple(changes + changes[:1] * (TOGETHER - len(changes))), len(changes), stays, bench.out,
        bench.histograms.lines, bench.moves, bench.scratch, bench.results,
    )  # fmt: skip
    results = bench.results[: len(changes)].tolist()
    marks = Marks.of(bench.out, sum(n_nodes for n_nodes, *_ in results))
    made, at, line = [], 0, 0
    for (tree, _, _, roots), change, (n_nodes, fragile, depth, n_lines) in zip(steps, changes, results, strict=True):
        memory: Any = tree.memory
        nodes, lines = slice(at, at + n_nodes), bench.histograms.lines[line : line + n_lines]
        estimator = with_tree(tree.estimator, bench.nodes[nodes], bench.out.values[nodes], depth)
        remembered = Memory.of(lines, memory.to_share)
        made.append(LivingTree(estimator, roots, change.samples, marks.at(nodes), remembered, bool(fragile)))
        at, line = at + n_nodes, line + n_lines
    return made


def _room_for_samples(tree: LivingTree, n_gone: int, joining: Ints) -> Ints:
    """Return room for the rows that stay, then those that join."""
    n_staying = len(tree.samples) - n_gone
    samples = np.empty(n_staying + len(joining), np.int32)
    samples[n_staying:] = joining
    return samples
