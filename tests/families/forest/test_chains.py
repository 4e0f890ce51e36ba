"""What large nodes remember of their search stays true through long chains of removals."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from sklearn.tree import DecisionTreeClassifier

from core.families.forest.steps import leaving, relabelling
from core.families.forest.tree import first_difference, grow
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK
from core.numerics.trees.build import FEATURE, LEFT, RIGHT, ROWS
from core.numerics.trees.coarse import proxy_of_two
from core.numerics.trees.histograms import (
    BIN_BOUND,
    BIN_FIRST,
    BIN_SECOND,
    BIN_START,
    CANDIDATES,
    HEAD_ABOVE,
    HEAD_BELOW,
    HEAD_BINS,
    HEAD_PEAK,
    NO_SPLITS,
)
from core.numerics.trees.histograms import HEAD_FEATURE as OF
from tests.families.forest.test_against_sklearn import adopted

MODELS = {
    "gini": {},
    "every feature": {"max_features": None},
    "leaf": {"min_samples_leaf": 6},
    "depth": {"max_depth": 3, "max_features": 2},
}


def make_rows(n, seed):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n, 6))
    y = (X[:, 0] + X[:, 1] * X[:, 2] + draw.normal(scale=0.7, size=n) > 0).astype(int)
    X[:, 1] = X[:, 1].round(1)
    X[:, 3] = 0.5 + 6e-8 * draw.integers(0, 40, n)
    X[:, 4] = draw.integers(0, 2, n)
    X[:, 5] = np.where(draw.random(n) < 0.9, 1.0, X[:, 5])
    return X.astype(np.float32), y, draw.integers(1, 4, n).astype(float), draw


def chain(options, steps, n=700, each=1):
    X, y, weight, draw = make_rows(n, 3)
    model = DecisionTreeClassifier(**{"max_features": 3, "random_state": 1} | options).fit(X, y, sample_weight=weight)
    tree, table, rules, bench = adopted(X, y, model, weight)
    stays = np.ones(n, dtype=bool)
    for gone in draw.permutation(n)[: steps * each].astype(np.int32).reshape(steps, each):
        stays[gone] = False
        tree = leaving(tree, gone).taken(table, rules, stays, bench)
        yield tree, table, rules, bench, np.flatnonzero(stays).astype(np.int32)


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)
def test_long_chains_equal_building_from_scratch(options):
    shared = set()
    for step, (tree, table, rules, bench, rows) in enumerate(chain(options, 300)):
        shared.add(id(tree.memory.shared))
        if step % 7 == 0:
            other = grow(table, rules, tree.roots, rows.copy(), tree.estimator, bench)
            assert first_difference(tree.grown, other.grown) == -1, step
    assert bench.moves.tally[3] > 0
    assert 1 < len(shared) < 150


proxy_of = njit(proxy_of_two.py_func)


def nodes_with_histograms(tree):
    """Yield the rows of every node that has histograms, and its lines."""
    grown, memory = tree.grown, tree.memory
    stack = [(0, 0)]
    while stack:
        node, start = stack.pop()
        if grown.words[node, FEATURE] < 0:
            continue
        name = tree.marks.names[node]
        if name >= 0:
            own = name >= len(memory.shared)
            lines = memory.own[name - len(memory.shared) :] if own else memory.shared[name:]
            yield tree.samples[start : start + grown.words[node, ROWS]], lines
        left = grown.words[node, LEFT]
        stack += [(left, start), (grown.words[node, RIGHT], start + grown.words[left, ROWS])]


def check_candidate(table, labels, rows, head, lines, entropy):
    """Compare counts with the rows; return the largest share of the weight by which a proxy exceeds its bound.

    The node's own split, which is set apart, is none of those bounded.
    """
    f, codes = head[OF], table.codes[head[OF], rows]
    assert lines[0, BIN_START] == 0
    assert (np.diff(lines[:, BIN_START]) > 0).all()
    bins = np.searchsorted(lines[:, BIN_START], table.bins[f, rows], side="right") - 1
    classes, weight = labels[rows] & CLASS_MASK, labels[rows] >> CLASS_BITS
    for column, count in (
        (BIN_FIRST, weight * (classes == 0)),
        (BIN_SECOND, weight * classes),
        (0, np.ones(len(rows))),
    ):
        assert np.array_equal(np.bincount(bins, count, head[HEAD_BINS]), lines[:, column])
    bounds, order, worst = lines.view(np.float32)[:, BIN_BOUND], np.argsort(codes, kind="stable"), -np.inf
    left, apart = np.zeros(2), 0
    whole = np.bincount(classes, weight, 2)
    for place, row in enumerate(order):
        if place and codes[row] > codes[order[place - 1]]:
            assert head[HEAD_PEAK] != NO_SPLITS
            if head[HEAD_PEAK] == bins[row] and (codes[order[place - 1]], codes[row]) == (
                head[HEAD_BELOW],
                head[HEAD_ABOVE],
            ):
                apart += 1
            else:
                proxy = proxy_of(entropy, left[0], left[1], whole[0], whole[1])
                worst = max(worst, (proxy - bounds[bins[row]]) / whole.sum())
        left[classes[row]] += weight[row]
    assert apart == (head[HEAD_PEAK] >= 0)
    return worst


def check_all_candidates(tree, table, rules):
    """Check all histograms of a tree; return how many there are."""
    looked_at = 0
    for rows, lines in nodes_with_histograms(tree):
        at = 1
        for _ in range(lines[0, CANDIDATES]):
            head = lines[at].copy()
            bins = lines[at + 1 : at + 1 + head[HEAD_BINS]]
            assert check_candidate(table, tree.roots.labels, rows, head, bins, rules.entropy) <= 1e-9
            at += 1 + head[HEAD_BINS]
            looked_at += 1
    return looked_at


@pytest.mark.parametrize("each", [1, 9])
def test_histograms_count_the_rows_and_bound_every_split(each):
    looked_at = 0
    for step, (tree, table, rules, _, _) in enumerate(chain({}, 45, each=each)):
        if step % 11:
            continue
        looked_at += check_all_candidates(tree, table, rules)
    assert looked_at > 50


def test_bounds_are_as_close_as_the_counts_allow_where_several_rows_leave():
    *_, (tree, *_) = chain({}, 20, each=9)
    lines = next(lines for _, lines in nodes_with_histograms(tree))
    at = 1
    for _ in range(lines[0, CANDIDATES]):
        n_bins = lines[at, HEAD_BINS]
        bins = lines[at + 1 : at + 1 + n_bins]
        left = np.vstack([np.zeros((1, 2)), bins[:, [BIN_FIRST, BIN_SECOND]].cumsum(axis=0)])
        for j, bound in enumerate(bins.view(np.float32)[:, BIN_BOUND]):
            corners = [(left[j + one, 0], left[j + two, 1]) for one in (0, 1) for two in (0, 1)]
            allowed = max(-2 * gini_mass(*corner) - 2 * gini_mass(*(left[-1] - corner)) for corner in corners)
            assert bound <= allowed + 1e-6 * abs(allowed)
        at += 1 + n_bins
    assert at > 3


def gini_mass(one, two):
    return one * two / (one + two) if one + two else 0.0


def test_entropy_in_nodes_that_are_counted_in_bins():
    looked_at = 0
    for tree, table, rules, bench, rows in chain({"criterion": "entropy", "max_depth": 3}, 6, n=4400, each=9):
        looked_at += check_all_candidates(tree, table, rules)
        other = grow(table, rules, tree.roots, rows.copy(), tree.estimator, bench)
        assert first_difference(tree.grown, other.grown) == -1
    assert looked_at > 5


def near_copies(seed, n, d, noises, leaf=1):
    """Return an adopted tree of one split on columns that hardly differ, and what it was made with."""
    r = np.random.default_rng(seed)
    n, d = n(r), d(r)
    base = r.normal(size=n)
    X = (base[:, None] + [0.01, 0.03, 0.1, 0.3][seed % 4] * r.normal(size=(n, d))).astype(np.float32)
    y = (base + r.normal(scale=noises[seed % 3], size=n) > 0).astype(int)
    weight = r.integers(1, 9, n).astype(float) if seed % 2 else np.ones(n)
    model = DecisionTreeClassifier(max_depth=1, random_state=seed, max_features=None, min_samples_leaf=leaf)
    return *adopted(X, y, model.fit(X, y, sample_weight=weight), weight), base, r


@pytest.mark.parametrize("seed", [57, 1572, 3])
def test_rows_whose_label_changes_may_move_the_split_to_beside_them(seed):
    tree, table, rules, bench, base, r = near_copies(
        seed, lambda r: int(r.integers(125, 400)), lambda r: int(r.integers(2, 6)), [0.1, 0.3, 0.6]
    )
    near = np.argsort(abs(base))[:40]
    for _ in range(40):
        rows = np.sort(r.choice(near, int(r.integers(1, 3)), replace=False)).astype(np.int32)
        labels = tree.roots.labels.copy()
        labels[rows] ^= 1
        tree = relabelling(tree, rows, labels).taken(table, rules, np.ones(len(labels), dtype=bool), bench)
        other = grow(table, rules, tree.roots, np.arange(len(base), dtype=np.int32), tree.estimator, bench)
        assert first_difference(tree.grown, other.grown) == -1


@pytest.mark.parametrize("each", [1, 3])
def test_bounds_hold_for_rows_that_change_their_label(each):
    X, y, weight, draw = make_rows(500, 5)
    model = DecisionTreeClassifier(max_features=3, max_depth=3, random_state=1).fit(X, y, sample_weight=weight)
    tree, table, rules, bench = adopted(X, y, model, weight)
    for _ in range(150):
        rows = np.sort(draw.choice(len(y), each, replace=False)).astype(np.int32)
        labels = tree.roots.labels.copy()
        labels[rows] ^= 1
        tree = relabelling(tree, rows, labels).taken(table, rules, np.ones(len(labels), dtype=bool), bench)
        assert check_all_candidates(tree, table, rules) > 0


@pytest.mark.parametrize(("seed", "k", "leaf"), [(seed, 1 + seed % 3, 27 + seed % 18) for seed in range(40)])
def test_nodes_that_fall_below_the_size_that_is_counted(seed, k, leaf):
    tree, table, rules, bench, base, r = near_copies(seed, lambda _: 119 + k, lambda _: 3, [0.5, 1, 2], leaf)
    for _ in range(40):
        gone = np.sort(r.choice(len(base), k, replace=False)).astype(np.int32)
        stays = np.ones(len(base), dtype=bool)
        stays[gone] = False
        one = leaving(tree, gone).taken(table, rules, stays, bench)
        rows = np.flatnonzero(stays).astype(np.int32)
        assert first_difference(one.grown, grow(table, rules, tree.roots, rows, tree.estimator, bench).grown) == -1
