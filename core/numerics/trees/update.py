"""Updates of a tree whose rows leave, node for node as building it without them.

Only nodes that lose or gain rows are looked at. Large ones keep histograms of their candidates, with bounds that follow every
change, and look at the rows in those bins alone that may hold the best split. A small node keeps its feature without a look at
the others while the feature's new best proxy stays above what theirs can have become: removing rows of weight m raises no Gini
proxy by more than 2m, and adding rows raises none. A threshold that slides moves rows from one child to the other; where
another feature wins, the subtree is built again.

References
----------
Brophy, J. and Lowd, D. (2021). Machine unlearning for random forests. ICML.
Schelter, S., Grafberger, S. and Dunning, T. (2021). HedgeCut: maintaining randomised trees for low-latency machine unlearning. SIGMOD.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from core.numerics.kernel import boolean, entry, inlined, int64, kernel
from core.numerics.trees.arrays import CLASS_BITS, EPSILON, Draws, Place, Rules, Scratch, Table
from core.numerics.trees.build import (
    FEATURE,
    LEFT,
    MISSING_LEFT,
    ROWS,
    THRESHOLD,
    WEIGHT,
    Grown,
    build,
    deepest,
    improvement,
    is_leaf,
    partition,
    put_split,
    sum_labels,
)
from core.numerics.trees.coarse import ROUNDING_MARGIN, SPLIT, proxy_of_two
from core.numerics.trees.columns import code_below, codes_for, column_of, has_missing, midpoint
from core.numerics.trees.histogram_search import next_to_split, search_histograms
from core.numerics.trees.histograms import CANDIDATES, Histograms, copy_histograms, move_rows
from core.numerics.trees.moves import (
    MUCH,
    Moves,
    await_children,
    await_root,
    copy_subtree,
    keep_rows,
    keep_unchanged,
    put_leaf,
    split_rows,
    stored_sums,
    sums_now,
    take_off,
    take_off_left,
)
from core.numerics.trees.splits import NOT_FOUND, best_on_feature, counted, impurity, pair_rows, search
from core.typing import Array


class Stores(NamedTuple):
    """Where the histograms of a tree's nodes stand.

    Parameters
    ----------
    base : Histograms
        Shared with the trees it was made from; never written to.
    own : Histograms
        Of nodes that differ from theirs.
    out : Histograms
        Those of the new tree.
    """

    base: Histograms
    own: Histograms
    out: Histograms


@kernel
def _most_gained(entropy: bool, lost: float, weight: float) -> float:
    """Bound how much any split's proxy rises when weight `lost` leaves a node of `weight`."""
    if entropy:
        return lost * (math.log(max(weight / lost, 1.0)) / math.log(2.0) + 1.4427) if lost > 0.0 else 0.0
    return 2.0 * lost


@kernel
def _carry_histograms(old: Grown, node: int, end: int, out: Grown, at: int, stores: Stores) -> None:
    """Let the nodes of an unchanged subtree keep their histograms."""
    for i in range(end - node):
        out.names[at + i] = old.names[node + i]
    if len(stores.own.lines) > 0:
        for i in range(at, at + end - node):
            if out.names[i] >= stores.out.offset:
                out.names[i] = copy_histograms(out.names[i], stores.base, stores.own, stores.out)


@kernel
def _any(flags: Array, rows: Array) -> bool:
    for i in range(len(rows)):  # noqa: SIM110
        if flags[rows[i]]:
            return True
    return False


@inlined
def _from_histograms(
    table: Table, rules: Rules, labels: Array, were: Array, rows: Array, base: int, gone: Array, place: Place, sums: Array,
    old: Grown, node: int, left: Array, stores: Stores, scratch: Scratch,
) -> tuple[int, int, int, int, int]:  # fmt: skip
    """Find a node's best split by its histograms, brought up to date in `stores.out`.

    Returns the feature, -1 where they do not decide; the split; and the name of the new histograms.
    """
    f, child, joined = old.words[node, FEATURE], old.words[node, LEFT], rows[base:]
    codes = codes_for(table, len(gone) + len(joined))[f]
    code = code_below(table, f, old.reals[node, THRESHOLD])
    stored_sums(old, child, left)
    n_left = old.words[child, ROWS] - take_off_left(were, codes, gone, code, left)
    n_left += take_off_left(labels, codes, joined, code, left, -1)
    least = max(rules.min_samples_leaf, 1)
    if n_left < least or len(rows) - n_left < least:
        return -1, -1, -1, 0, -1
    name = copy_histograms(old.names[node], stores.base, stores.own, stores.out)
    start = name - stores.out.offset
    if name < 0 or (len(joined) > 0 and stores.out.lines[start, CANDIDATES] > rules.max_features):
        return -1, -1, -1, 0, -1
    if len(joined) > 0:
        move_rows(stores.out, start, table, rules.entropy, labels, joined, boolean(True), scratch)
    if len(gone) > 0:
        move_rows(stores.out, start, table, rules.entropy, were, gone, boolean(False), scratch)
    floor = proxy_of_two(rules.entropy, left[0], left[1], sums[0], sums[1])
    settled = not (
        next_to_split(stores.out, start, table, f, gone) or next_to_split(stores.out, start, table, f, joined)
    )
    winner, _, below, above, n_left = search_histograms(
        stores.out, start, table, rules, place, sums, f, floor, n_left, settled, scratch
    )
    return winner, below, above, n_left, name


@inlined
def _best_now(
    table: Table, rules: Rules, draws: Draws, labels: Array, were: Array, rows: Array, base: int, gone: Array, place: Place,
    sums: Array, weight: float, lost_weight: float, key: Any, old: Grown, node: int, column: int, left: Array, stores: Stores,
    moves: Moves, scratch: Scratch,
) -> tuple[int, float, int, float, int, int]:  # fmt: skip
    """Return a node's best column now, a bound on the others, its split and histograms' name."""
    origin, used = np.int64(old.origin[node]), stores.out.used[0]
    moves.tally[0] += len(rows)
    if old.names[node] >= 0:
        winner, below, above, n_left, name = _from_histograms(
            table, rules, labels, were, rows, base, gone, place, sums, old, node, left, stores, scratch
        )
        if winner >= 0:
            return winner, np.inf, below, midpoint(table, winner, below, above), n_left, name
        stores.out.used[0] = used
    known, found, pairs = -1, NOT_FOUND, scratch.pairs[: len(rows)]
    pair_rows(labels, rows, pairs)
    if not counted(table, rules, len(rows)):
        known, found = column, best_on_feature(table, rules, column, pairs, sums, weight, -np.inf, scratch)
        kind, proxy, below, above, n_left = found
        others = old.others[node] + _most_gained(rules.entropy, lost_weight, old.reals[node, WEIGHT])
        sure = kind == SPLIT and base == len(rows) and proxy - others > ROUNDING_MARGIN * weight
        if sure and not _any(table.chained, gone):
            return column, others, below, midpoint(table, column, below, above), n_left, -1
    moves.tally[1] += len(rows)
    constants = scratch.updating.constants[0]
    constants[:] = 0
    winner, _, others, below, threshold, n_left, name = search(
        table, rules, draws, pairs, sums, weight, key, origin, known, found, constants, stores.out, scratch
    )
    return winner, others, below, threshold, n_left, name


class Change(NamedTuple):
    """The start of one tree's update.

    Parameters
    ----------
    draws, labels
        As `build` takes them.
    were : ndarray of int32, shape (n_rows,)
        The labels of rows as they leave; a row whose label changes leaves and joins.
    before : ndarray of int32
        The old tree's rows, in the order of its leaves.
    leaving : ndarray of int32
        Those that leave; not all of them.
    samples : ndarray of int32
        Room for the rows that stay, then those that join; put in the order of the new tree's leaves.
    n_joining : int
        How many of `samples`, its last ones, join.
    old : Grown
    base, own : ndarray of int32
        Lines of histograms, as in `Stores`.
    offset : int
        What the new tree's nodes call the first line of its own histograms.
    """

    draws: Draws
    labels: Array
    were: Array
    before: Array
    leaving: Array
    samples: Array
    n_joining: int
    old: Grown
    base: Array
    own: Array
    offset: int


NODES, FRAGILE, DEPTH, LINES = range(4)
"""Columns of what an update says of a tree: the number of its nodes, whether it is fragile as `build` gives it, of the nodes looked
at, its depth, and the number of its histograms' lines."""


@entry
def update(
    table: Table, rules: Rules, changes: tuple[Change, ...], n_changes: int, stays: Array, out: Grown, lines: Array,
    moves: Moves, scratch: Scratch, results: Array,
) -> None:  # fmt: skip
    """Write several trees to `out`, one after the other, without and with some of their rows.

    Their histograms go to `lines`.

    Parameters
    ----------
    table, rules
        As `build` takes them.
    changes : tuple of Change
        The first `n_changes` count.
    stays : ndarray of bool, shape (n_rows,)
        As `Place` holds it.
    out : Grown
    lines : ndarray of int32
    moves : Moves
    scratch : Scratch
    results : ndarray of int64, shape (n_changes, 4)
        Written for every tree.
    """
    at, line, used = 0, 0, scratch.used
    for i in range(n_changes):
        change, free = changes[i], lines[line:]
        labels, were, samples, base, own = change.labels, change.were, change.samples, change.base, change.own
        n_leaving, n_staying = int64(len(change.leaving)), len(samples) - change.n_joining
        weight = np.float64(change.old.reals[0, WEIGHT])
        for k in range(n_leaving):
            moves.pool[k] = change.leaving[k]
            weight -= were[change.leaving[k]] >> CLASS_BITS
        for k in range(n_staying, len(samples)):
            weight += labels[samples[k]] >> CLASS_BITS
        if change.n_joining > 0 and n_leaving > 0:
            keep_unchanged(change.before, stays, labels, were, samples[:n_staying])
        else:
            keep_rows(change.before, moves.pool[:n_leaving], stays, samples[:n_staying])
        used[0] = 0
        n_nodes, fragile = _update_nodes(
            table, rules, change.draws, labels, were, samples, stays, change.old, n_leaving, change.n_joining, weight,
            Grown(out.words[at:], out.reals[at:], out.values[at:], out.origin[at:], out.others[at:], out.names[at:], out.levels[at:]),
            Stores(
                Histograms(base, base.view(np.float32), used, int64(0)),
                Histograms(own, own.view(np.float32), used, int64(len(base))),
                Histograms(free, free.view(np.float32), used, change.offset),
            ),
            moves, scratch,
        )  # fmt: skip
        results[i, NODES] = n_nodes
        results[i, FRAGILE] = fragile
        results[i, DEPTH] = deepest(out.levels[at : at + n_nodes])
        results[i, LINES] = used[0]
        at += n_nodes
        line += used[0]


@inlined
def _update_nodes(
    table: Table, rules: Rules, draws: Draws, labels: Array, were: Array, samples: Array, stays: Array, old: Grown, n_leaving: int,
    n_joining: int, root_weight: float, out: Grown, stores: Stores, moves: Moves, scratch: Scratch,
) -> tuple[int, bool]:  # fmt: skip
    """Write the nodes of the new tree; return how many there are, and whether it is fragile."""
    stack, keys, _, _, sums, left, right = scratch.updating
    await_root(stack, keys, draws.seed, old, len(samples) - n_joining, n_joining, n_leaving)
    path = scratch.path
    waiting, at, top, fragile = 1, int64(0), n_leaving, False
    while waiting > 0:
        waiting -= 1
        node, node_end, start, base, joining, lost_start, lost_end, depth, parent, side = stack[waiting]
        key = keys[waiting]
        if depth > 0:
            path[depth - 1, 2] = side
        n, lost = base + joining, lost_end - lost_start
        if joining == 0 and lost == 0:
            _carry_histograms(old, node, node_end, out, at, stores)
            at = copy_subtree(old, node, node_end, out, at, parent, side == 1)
            continue
        rows, gone = samples[start : start + n], moves.pool[lost_start:lost_end]
        origin, f = np.int64(old.origin[node]), old.words[node, FEATURE]
        used = stores.out.used[0]
        stays_split = (joining + lost) * MUCH <= n
        if stays_split:
            lost_weight = sums_now(old, node, labels, were, rows, base, gone, sums)
            weight = sums.sum()
            node_impurity = impurity(rules.entropy, sums, weight)
            if is_leaf(rules, n, depth, node_impurity):
                out.names[at] = -1
                at = put_leaf(out, at, parent, side, sums, weight, n, node_impurity, origin)
                continue
            stays_split = f >= 0
        if stays_split:
            before = column_of(table, f, old.words[node, MISSING_LEFT] & 255 != 0)
            column = before if has_missing(table, f, rows[:base]) else f
            winner, others, below, threshold, n_left, name = _best_now(
                table, rules, draws, labels, were, rows, base, gone, Place(labels, rows, scratch.pairs, stays, path, depth), sums, weight, lost_weight,
                key, old, node, column, left, stores, moves, scratch,
            )  # fmt: skip
            stays_split = winner == column
        if stays_split:
            lost_left = partition(
                codes_for(table, lost)[before], gone, code_below(table, before, old.reals[node, THRESHOLD])
            )
            old_left = old.words[node, LEFT]
            base_left = old.words[old_left, ROWS] - lost_left
            dealt = split_rows(
                codes_for(table, n)[column],
                rows,
                base,
                base_left,
                gone,
                lost_left,
                lost_start,
                below,
                n_left,
                moves,
                top,
            )
            stays_split = dealt[6] >= 0
        if not stays_split:
            moves.tally[2] += n
            stores.out.used[0] = used
            at, shaky = build(
                table, rules, draws, labels, samples, start, start + n, depth, key, origin, root_weight,
                out, at, parent, side == 1, stores.out, scratch,
            )  # fmt: skip
            fragile = fragile or shaky
            continue
        kept_left, crossed, top = dealt[0], dealt[7], dealt[6]
        left_weight = stored_sums(old, old_left, left) - take_off(were, gone[:lost_left], left)
        left_weight += take_off(labels, rows[kept_left:n_left], left, -1)
        if crossed:
            left_weight = sum_labels(labels, rows[:n_left], left)
        for c in range(len(sums)):
            right[c] = sums[c] - left[c]
        gained = improvement(rules, node_impurity, weight, left, left_weight, right)
        fragile = fragile or gained < -EPSILON
        out.names[at] = -1
        at = put_leaf(out, at, parent, side, sums, weight, n, node_impurity, origin)
        if (weight / root_weight) * gained + EPSILON < rules.min_impurity_decrease:
            stores.out.used[0] = used
            continue
        put_split(out, at - 1, table, column, threshold, rows, n_left)
        path[depth, 0], path[depth, 1] = column, below
        out.others[at - 1] = others
        out.names[at - 1] = name
        waiting = await_children(stack, keys, waiting, key, old, node, node_end, start, n, n_left, dealt, depth, at - 1)
    return at, fragile
