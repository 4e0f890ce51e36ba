"""One tree of a forest that forgets: adopted from scikit-learn, updated, and written back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.tree._tree import NODE_DTYPE, Tree

from core.families.forest.parts import TreeStream
from core.numerics.kernel import direct
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK, Draws, Rules, Scratch, Table, make_scratch
from core.numerics.trees.build import (
    FEATURE,
    IMPURITY,
    LEFT,
    RIGHT,
    ROWS,
    THRESHOLD,
    WEIGHT,
    Grown,
    build,
    deepest,
    make_room,
)
from core.numerics.trees.drawn import Lines, build_drawn, kept_lines, room_for_lines
from core.numerics.trees.histograms import WIDTH, Histograms, make_histograms
from core.numerics.trees.moves import Moves
from core.numerics.trees.replay import make_stream, replay
from core.typing import Ints, Longs
from core.unlearning.memory import keep_freed_memory

TOGETHER, NODES_TOGETHER = 8, 8_000
"""Trees updated in one call, and the nodes they have at most, as those of more no longer stay in cache until they are copied; between
calls, threads wait for one another to run Python."""
NO_INTS: Ints = np.empty(0, np.int32)
BITWISE = [LEFT, RIGHT, FEATURE, IMPURITY, ROWS, WEIGHT]
"""Which of two zeros a drawn threshold falls on depends on the order of rows."""

LARGE = 128
"""Nodes with so many rows keep what their drawn splits depend on."""


class Memory(NamedTuple):
    """The histograms of a tree's large nodes.

    The lines it shares with the trees it was made from, and its own.
    """

    shared: Ints
    own: Ints

    @classmethod
    def of(cls, lines: Ints, shared: Ints | None = None) -> Memory:
        """Return a copy of these lines; without anything shared it is there to share."""
        lines = lines.copy()
        return cls(lines, lines[:0]) if shared is None else cls(shared, lines)

    @property
    def to_share(self) -> Ints | None:
        """The lines that a tree made from this one is to share.

        Where the own have grown to more than half of the shared ones, nothing: all are copied, and those are let go.
        """
        return None if 2 * len(self.own) > len(self.shared) else self.shared


@dataclass(frozen=True, eq=False)
class Bench:
    """Room to work in, for one thread.

    Parameters
    ----------
    out : Grown
    nodes : ndarray of NODE_DTYPE
        The nodes of `out`, as scikit-learn reads them.
    scratch : Scratch
    moves : Moves
    histograms : Histograms
    results : ndarray of int64
        What an update says of its trees.
    calls : dict
        What calls each compiled function; the types of its arguments follow from the table.
    """

    out: Grown
    nodes: npt.NDArray[Any]
    scratch: Scratch
    moves: Moves
    histograms: Histograms
    results: Longs
    calls: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def for_rows(cls, n_rows: int, table: Table) -> Bench:
        """Return room for trees of up to `n_rows` rows."""
        keep_freed_memory()
        moves = Moves(np.empty(4 * n_rows + 64, np.int32), np.empty(n_rows, np.int32), np.zeros(4, np.int64))
        lines = np.empty((n_rows * max(len(table.codes), 8), WIDTH), np.int32)
        out, results = make_room(n_rows, table.n_classes), np.zeros((TOGETHER, 4), np.int64)
        nodes = out.words.view(NODE_DTYPE).reshape(-1)
        return cls(out, nodes, make_scratch(n_rows, table), moves, make_histograms(lines, 0, 0), results)

    @cached_property
    def wide(self) -> Bench:
        """The same with room for as many trees as are updated together.

        Memory is taken as it is written.
        """
        out = make_room(TOGETHER * (len(self.out.words) // 2), self.out.values.shape[1])
        return replace(self, out=out, nodes=out.words.view(NODE_DTYPE).reshape(-1))

    def call(self, function: Any, *arguments: Any) -> Any:
        """Call a compiled function."""
        if function not in self.calls:
            self.calls[function] = direct(function, arguments)
        return self.calls[function](*arguments)


@dataclass(frozen=True, eq=False)
class Roots:
    """The draws of a tree and every row's weight, kept for life.

    The weight changes only where draws of a bootstrap move, or by an edit.

    Parameters
    ----------
    draws : Draws
    labels : ndarray of int32, shape (n_rows,)
        Weight and class of every row.
    drawn : ndarray of int32, shape (n_draws,) or None
        The row of every draw of the bootstrap, where draws move as rows go.
    """

    draws: Draws
    labels: Ints
    drawn: Ints | None = None


class Marks(NamedTuple):
    """Marks of every node beside scikit-learn's own, as in `Grown`."""

    origin: Ints
    others: npt.NDArray[np.float64]
    names: Ints
    levels: Ints

    @classmethod
    def of(cls, out: Grown, n_nodes: int) -> Marks:
        """Return the marks of the first nodes on a bench, copied."""
        return cls(
            out.origin[:n_nodes].copy(),
            out.others[:n_nodes].copy(),
            out.names[:n_nodes].copy(),
            out.levels[:n_nodes].copy(),
        )

    def at(self, nodes: slice) -> Marks:
        """Return the marks of some nodes, in the same memory."""
        return Marks(self.origin[nodes], self.others[nodes], self.names[nodes], self.levels[nodes])


NO_MARKS = Marks(NO_INTS, np.empty(0), NO_INTS, NO_INTS)


@dataclass(eq=False)  # not frozen: making one costs four times as much then, with the interpreter held
class LivingTree:
    """A tree together with what removing rows from it takes; never changed once it is made.

    Parameters
    ----------
    estimator : DecisionTreeClassifier
        Holds the tree itself, as scikit-learn's own.
    roots : Roots
    samples : ndarray of int32
        The rows it knows, in the order of its leaves.
    marks : Marks
    memory : Memory or Lines
        What its large nodes remember; lines where thresholds are drawn.
    fragile : bool
        Whether a split may become a leaf, or a leaf a split, as the whole weight falls; then the tree is built anew each time.
    """

    estimator: Any
    roots: Roots
    samples: Ints
    marks: Marks
    memory: Memory | Lines
    fragile: bool

    @cached_property
    def grown(self) -> Grown:
        """The tree as flat arrays; they share memory with scikit-learn's tree."""
        return grown_of(self.estimator, self.marks)


def weight_of(labels: Ints, rows: Ints) -> float:
    """Return the whole weight of rows."""
    return float((labels[rows] >> CLASS_BITS).sum())


def grown_of(estimator: Any, marks: Marks = NO_MARKS) -> Grown:
    """Return a fitted tree as flat arrays, without copying its nodes."""
    state = estimator.tree_.__getstate__()
    words = state["nodes"].view(np.int64).reshape(-1, 8)
    return Grown(words, words.view(np.float64), state["values"][:, 0, :], *marks)


def standing_on(
    bench: Bench, n_nodes: int, estimator: Any, roots: Roots, samples: Ints, memory: Memory | Lines, fragile: bool
) -> LivingTree:
    """Return the tree whose nodes stand on a bench, copied; `estimator` gives its parameters."""
    out, nodes = bench.out, slice(n_nodes)
    fitted = with_tree(estimator, bench.nodes[nodes], out.values[nodes], deepest(out.levels[nodes]))
    marks = Marks.of(out, n_nodes)
    if isinstance(memory, Lines):  # nothing wrote names
        marks = marks._replace(names=NO_INTS)
    return LivingTree(fitted, roots, samples, marks, memory, fragile)


def with_tree(estimator: Any, nodes: npt.NDArray[Any], values: npt.NDArray[np.float64], depth: int) -> Any:
    """Return a copy of a decision tree that holds other nodes, copied.

    `values` are their class shares.
    """
    tree = Tree(estimator.tree_.n_features, _as_tree_takes(values.shape[1]), 1)
    tree.__setstate__({"max_depth": depth, "node_count": len(nodes), "nodes": nodes, "values": values[:, None, :]})
    other = object.__new__(type(estimator))
    vars(other).update(vars(estimator), tree_=tree)
    return other


@cache
def _as_tree_takes(n_classes: int) -> npt.NDArray[np.intp]:
    """Return the number of classes as scikit-learn's trees take it: for each output."""
    return np.array([n_classes], dtype=np.intp)


def grow(table: Table, rules: Rules, roots: Roots, rows: Ints, estimator: Any, bench: Bench) -> LivingTree:
    """Build a tree from scratch with recorded randomness: what every removal must equal.

    Parameters
    ----------
    table, rules, roots
        Of the tree.
    rows : ndarray of int32
        The rows to build from; put in the order of the leaves.
    estimator : DecisionTreeClassifier
        Copied for its parameters.
    bench : Bench
    """
    weight, out = weight_of(roots.labels, rows), bench.out
    whole = (table, rules, roots.draws, roots.labels, rows, 0, len(rows), 0, roots.draws.seed, 0, weight)
    memory: Memory | Lines
    if rules.random:
        room = room_for_lines(len(rows), table)
        n_nodes, fragile, lines = build_drawn(*whole, out, 0, -1, False, *room, LARGE, bench.scratch)
        memory = kept_lines(room, lines, n_nodes)
    else:
        store = bench.histograms
        store.used[0] = 0
        n_nodes, fragile = build(*whole, out, 0, -1, False, store, bench.scratch)
        memory = Memory.of(store.lines[: store.used[0]])
    return standing_on(bench, n_nodes, estimator, roots, rows, memory, bool(fragile))


def adopt(
    table: Table,
    rules: Rules,
    stream: TreeStream,
    weight: npt.NDArray[np.int64],
    codes: npt.NDArray[Any],
    estimator: Any,
    bench: Bench,
) -> tuple[LivingTree | None, int]:
    """Learn a fitted tree's randomness and check every node of it.

    Returns
    -------
    tree : LivingTree or None
        None where the rows do not give the tree.
    node : int
        The first node that differs, -1 if none.
    """
    stored = grown_of(estimator)
    labels = ((weight << CLASS_BITS) | (codes & CLASS_MASK)).astype(np.int32)
    rows = np.flatnonzero(weight > 0).astype(np.int32)
    first, drawn, fractions, wrong = (
        _winners(stored.words)
        if stream.seed is None
        else replayed(table, rules, stream.seed, rows.copy(), stored, bench.scratch)
    )
    if wrong >= 0:
        return None, int(wrong)
    left, right = stored.words[:, 0].astype(np.int32), stored.words[:, 1].astype(np.int32)
    roots = Roots(Draws(stream.key, left, right, first, drawn, fractions), labels)
    tree = grow(table, rules, roots, rows, estimator, bench)
    node = first_difference(stored, tree.grown)
    return (None, node) if node >= 0 else (replace(tree, estimator=estimator), -1)


def replayed(
    table: Table, rules: Rules, seed: int, rows: Ints, stored: Grown, scratch: Scratch
) -> tuple[Ints, Ints, Longs, int]:
    """Draw the features of every node of a fitted tree again, as `Draws` holds them.

    Last comes the first wrong node, -1 if none.
    """
    stream = make_stream(seed, len(stored.words), len(table.twin), rules.random, scratch.building.words)
    used, wrong = replay(table, rules, stream, rows, stored.words, stored.reals)
    return stream.first, stream.drawn[:used].copy(), stream.fractions[:used].copy(), int(wrong)


def _winners(words: npt.NDArray[np.int64]) -> tuple[Ints, Ints, Longs, int]:
    """Return each node's own feature as the one drawn first.

    All are candidates, so that this decides ties alone.
    """
    inner = words[:, FEATURE] >= 0
    first = np.concatenate([[0], np.cumsum(inner)]).astype(np.int32)
    return first, words[inner, FEATURE].astype(np.int32), np.empty(0, np.int64), -1


def first_difference(one: Grown, other: Grown) -> int:
    """Return the first node in which two trees differ, -1 if there is none.

    A zero's sign does not count, any other bit does.
    """
    n = min(len(one.words), len(other.words))
    inner = one.words[:n, FEATURE] >= 0
    apart = (one.words[:n, BITWISE] != other.words[:n, BITWISE]).any(axis=1) | (one.values[:n] != other.values[:n]).any(
        axis=1
    )
    apart |= inner & ((one.words[:n, 7] ^ other.words[:n, 7]) & 255).astype(bool)
    apart |= one.reals[:n, THRESHOLD] != other.reals[:n, THRESHOLD]
    if apart.any():
        return int(np.flatnonzero(apart)[0])
    return -1 if len(one.words) == len(other.words) else n
