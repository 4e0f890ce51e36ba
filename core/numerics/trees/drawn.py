"""Trees split at thresholds drawn at random.

Built from recorded draws, and what remains of them without some rows.

Only nodes that lose or gain rows are looked at. Large ones keep a line for every feature drawn, from which its split follows without
a look at the node's rows. Where the threshold moves with the range, rows change sides; where another feature wins, the subtree is
built again.

References
----------
Geurts, P., Ernst, D. and Wehenkel, L. (2006). Extremely randomized trees. Machine Learning 63.
Schelter, S., Grafberger, S. and Dunning, T. (2021). HedgeCut: maintaining randomised trees for low-latency machine unlearning. SIGMOD.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from core.numerics.kernel import compiled, int64, kernel
from core.numerics.trees.arrays import EPSILON, Draws, Rules, Scratch, Table
from core.numerics.trees.build import (
    FEATURE,
    IMPURITY,
    LEFT,
    MISSING_LEFT,
    ROWS,
    THRESHOLD,
    Grown,
    await_build,
    improvement,
    is_leaf,
    partition,
    sum_labels,
)
from core.numerics.trees.columns import code_below, codes_for, column_of
from core.numerics.trees.draws import mixed
from core.numerics.trees.moves import (
    MUCH,
    Moves,
    await_children,
    await_root,
    copy_subtree,
    put_leaf,
    split_rows,
    sums_now,
)
from core.numerics.trees.random import (
    ABSENT,
    COLUMN,
    LAST_LEFT,
    OF,
    ON_LEFT,
    SUMS,
    best_line,
    draw_for,
    follow_lines,
    line_threshold,
    write_lines,
)
from core.numerics.trees.splits import impurity
from core.typing import Array


class Lines(NamedTuple):
    """The lines of a tree's large nodes.

    Parameters
    ----------
    first : ndarray of int32, shape (n_nodes + 1,)
        Where each node's lines start.
    lines : ndarray of int64, shape (n_lines, 9 + n_classes)
        As `tree_random` describes them, in the order the features were drawn.
    """

    first: Array
    lines: Array


def room_for_lines(n_rows: int, table: Table) -> Lines:
    """Return room for the lines of any tree of `n_rows` rows.

    `build_drawn` and `update_drawn` make more of it where needed.
    """
    return Lines(np.zeros(2 * n_rows + 2, np.int32), np.empty((4 * len(table.twin), SUMS + table.n_classes), np.int64))


def kept_lines(room: Lines, lines: Array, n_nodes: int) -> Lines:
    """Return a tree's lines without the room they were written in."""
    return Lines(room.first[: n_nodes + 1].copy(), lines[: room.first[n_nodes]].copy())


@kernel
def _copy_lines(lines: Array, start: int, end: int, out: Array, at: int) -> None:
    """Write the lines from `start` to `end` to `out`, from line `at` on."""
    for k in range(end - start):
        for j in range(lines.shape[1]):
            out[at + k, j] = lines[start + k, j]


@compiled
def _with_room(lines: Array, used: int, more: int) -> Array:
    """Return the lines with room for some more."""
    if used + more <= len(lines):
        return lines
    wider = np.empty((2 * len(lines) + more, lines.shape[1]), np.int64)
    _copy_lines(lines, 0, used, wider, 0)
    return wider


@kernel
def _split(
    table: Table, rules: Rules, draws: Draws, key: Any, origin: Any, lines: Array, k: int, n: int, sums: Array,
    weight: float, root_weight: float, out: Grown, at: int, left: Array, right: Array,
) -> tuple[bool, bool]:  # fmt: skip
    """Make the leaf at `at` an inner node, split as line `k` says.

    Returns whether it became one, and whether it is fragile.
    """
    line = lines[k]
    left_weight = 0.0
    for c in range(len(sums)):
        left[c] = line[SUMS + c]
        right[c] = sums[c] - left[c]
        left_weight += left[c]
    gained = improvement(rules, out.reals[at, IMPURITY], weight, left, left_weight, right)
    fragile = gained < -EPSILON
    if (weight / root_weight) * gained + EPSILON < rules.min_impurity_decrease:
        return False, fragile
    f = line[OF]
    out.words[at, FEATURE] = f
    out.reals[at, THRESHOLD] = line_threshold(table, line, draw_for(draws, origin, k, f, key))
    to_left = line[COLUMN] != f if line[ABSENT] > 0 else 2 * line[ON_LEFT] > n
    out.words[at, MISSING_LEFT] = 1 if to_left else 0
    return True, fragile


@compiled
def build_drawn(
    table: Table,
    rules: Rules,
    draws: Draws,
    labels: Array,
    samples: Array,
    start: int,
    end: int,
    depth: int,
    key: Any,
    origin: Any,
    root_weight: float,
    out: Grown,
    at: int,
    parent: int,
    is_left: bool,
    first: Array,
    lines: Array,
    large: int,
    scratch: Scratch,
) -> tuple[int, bool, Array]:
    """Build the subtree under one path from its rows, `samples[start:end]`.

    The rows are put in the order of its leaves.

    Nodes with `large` rows or more keep their lines.

    Returns
    -------
    at : int
        Where the next node goes.
    fragile : bool
        As `build` gives it.
    lines : ndarray of int64
        Those given, or more room with the same in it.
    """
    stack, keys, _, _, sums, left, right = scratch.building
    await_build(stack, int64(0), start, end, depth, parent, int64(is_left), int64(origin))
    keys[0] = key
    waiting, fragile = 1, rules.min_impurity_decrease > 0.0
    while waiting > 0:
        waiting -= 1
        start, end, depth, parent, side, origin = stack[waiting, :6]
        key = keys[waiting]
        rows, n, used = samples[start:end], end - start, first[at]
        weight = sum_labels(labels, rows, sums)
        node_impurity = impurity(rules.entropy, sums, weight)
        at = put_leaf(out, at, parent, side, sums, weight, n, node_impurity, origin)
        first[at] = used
        if is_leaf(rules, n, depth, node_impurity):
            continue
        lines = _with_room(lines, used, len(table.twin))
        n_lines = write_lines(table, rules, draws, labels, rows, key, origin, n >= large, lines[used:], scratch)
        node_lines = lines[used : used + n_lines]
        k = best_line(rules, node_lines, n, sums, weight, scratch)
        if k < 0:
            continue
        done, shaky = _split(
            table, rules, draws, key, origin, node_lines, k, n, sums, weight, root_weight, out, at - 1, left, right
        )
        fragile = fragile or shaky
        if not done:
            continue
        if n >= large:
            first[at] = used + n_lines
        line = node_lines[k]
        middle = start + partition(codes_for(table, n)[line[COLUMN]], rows, line[LAST_LEFT])
        beyond = int64(-1) if origin < 0 else int64(draws.right[origin])
        await_build(stack, waiting, middle, end, depth + 1, at - 1, int64(0), beyond)
        keys[waiting] = mixed(key, 2)
        beyond = int64(-1) if origin < 0 else int64(draws.left[origin])
        await_build(stack, waiting + 1, start, middle, depth + 1, at - 1, int64(1), beyond)
        keys[waiting + 1] = mixed(key, 1)
        waiting += 2
    return at, fragile, lines


@kernel
def _lines_now(
    table: Table, rules: Rules, draws: Draws, labels: Array, were: Array, rows: Array, base: int, gone: Array, key: Any,
    origin: Any, large: int, held: Array, lines: Array, moves: Moves, scratch: Scratch,
) -> int:  # fmt: skip
    """Write a node's lines as they are now, from those it `held` where it kept any.

    Returns how many there are.
    """
    if len(held) > 0:
        _copy_lines(held, 0, len(held), lines, 0)
        if follow_lines(table, draws, labels, were, rows, base, gone, key, origin, lines[: len(held)]):
            return len(held)
    moves.tally[1] += len(rows)
    return write_lines(table, rules, draws, labels, rows, key, origin, len(rows) >= large, lines, scratch)


@compiled
def update_drawn(
    table: Table,
    rules: Rules,
    draws: Draws,
    labels: Array,
    were: Array,
    samples: Array,
    old: Grown,
    held: Lines,
    n_leaving: int,
    n_joining: int,
    key: Any,
    root_weight: float,
    out: Grown,
    first: Array,
    lines: Array,
    large: int,
    moves: Moves,
    scratch: Scratch,
) -> tuple[int, bool, Array]:
    """Write to `out` the tree without some rows and with others.

    The rows `moves.pool[:n_leaving]` leave, and the last `n_joining` of `samples` join.

    Parameters
    ----------
    table, rules, draws, labels, were, samples, old, n_leaving, n_joining, key, root_weight, out, moves, scratch
        As `update` takes them.
    held : Lines
        Of the old tree.
    first, lines : ndarray
        Room for those of the new one.
    large : int
        As `build_drawn` takes it.

    Returns
    -------
    n_nodes : int
    fragile : bool
    lines : ndarray of int64
        As `build_drawn` gives them.
    """
    stack, keys, _, _, sums, left, right = scratch.updating
    await_root(stack, keys, key, old, len(samples) - n_joining, n_joining, n_leaving)
    waiting, at, top, fragile = 1, int64(0), n_leaving, False
    first[0] = 0
    while waiting > 0:
        waiting -= 1
        node, node_end, start, base, joining, lost_start, lost_end, depth, parent, side = stack[waiting]
        key = keys[waiting]
        n, lost, used = base + joining, lost_end - lost_start, first[at]
        if joining == 0 and lost == 0:
            lines = _with_room(lines, used, held.first[node_end] - held.first[node])
            _copy_lines(held.lines, held.first[node], held.first[node_end], lines, used)
            for i in range(node_end - node + 1):
                first[at + i] = held.first[node + i] + (used - held.first[node])
            at = copy_subtree(old, node, node_end, out, at, parent, side == 1)
            continue
        rows, gone = samples[start : start + n], moves.pool[lost_start:lost_end]
        origin = np.int64(old.origin[node])
        k, n_lines, stays_split = -1, 0, old.words[node, FEATURE] >= 0 and (joining + lost) * MUCH <= n
        if stays_split:
            sums_now(old, node, labels, were, rows, base, gone, sums)
            weight = sums.sum()
            node_impurity = impurity(rules.entropy, sums, weight)
            stays_split = not is_leaf(rules, n, depth, node_impurity)
        if stays_split:
            lines = _with_room(lines, used, len(table.twin))
            before = held.lines[held.first[node] : held.first[node + 1]]
            n_lines = _lines_now(
                table,
                rules,
                draws,
                labels,
                were,
                rows,
                base,
                gone,
                key,
                origin,
                large,
                before,
                lines[used:],
                moves,
                scratch,
            )
            k = best_line(rules, lines[used : used + n_lines], n, sums, weight, scratch)
            stays_split = k >= 0 and lines[used + k, OF] == old.words[node, FEATURE]
        if stays_split:
            # Missing values keep to the side drawn for them, so that old and new split are made on one column or there are none.
            line = lines[used + k]
            column = column_of(table, line[OF], old.words[node, MISSING_LEFT] & 255 != 0)
            lost_left = partition(table.codes[column], gone, code_below(table, column, old.reals[node, THRESHOLD]))
            n_left, base_left = line[ON_LEFT], old.words[old.words[node, LEFT], ROWS] - lost_left
            dealt = split_rows(
                table.codes[line[COLUMN]],
                rows,
                base,
                base_left,
                gone,
                lost_left,
                lost_start,
                line[LAST_LEFT],
                n_left,
                moves,
                top,
            )
            stays_split = dealt[6] >= 0
        if not stays_split:
            moves.tally[2] += n
            at, shaky, lines = build_drawn(
                table, rules, draws, labels, samples, start, start + n, depth, key, origin, root_weight,
                out, at, parent, side == 1, first, lines, large, scratch,
            )  # fmt: skip
            fragile = fragile or shaky
            continue
        top = dealt[6]
        at = put_leaf(out, at, parent, side, sums, weight, n, node_impurity, origin)
        first[at] = used
        done, shaky = _split(
            table, rules, draws, key, origin, lines[used : used + n_lines], k, n, sums, weight, root_weight, out,
            at - 1, left, right,
        )  # fmt: skip
        fragile = fragile or shaky
        if not done:
            continue
        if n >= large:
            first[at] = used + n_lines
        waiting = await_children(stack, keys, waiting, key, old, node, node_end, start, n, n_left, dealt, depth, at - 1)
    return at, fragile, lines
