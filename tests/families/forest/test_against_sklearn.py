"""Trees that forget equal the trees scikit-learn grows with the forgotten rows' weight set to 0."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba import njit, typeof
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from core.families.forest import tree as forest_tree
from core.families.forest.coding import code_table
from core.families.forest.parts import multiplicities, rules_of, stream_of
from core.families.forest.steps import leaving
from core.families.forest.tree import Bench, adopt, first_difference, grow, grown_of, replayed
from core.numerics.trees.arrays import make_scratch
from core.numerics.trees.coarse import NO_SPLIT
from core.numerics.trees.columns import column_of
from core.numerics.trees.splits import best_on_feature, pair_rows

best_split, side_of, put_pairs = (njit(one.py_func) for one in (best_on_feature, column_of, pair_rows))

FIELDS = ("feature", "threshold", "impurity", "n_node_samples", "weighted_n_node_samples")


def adopted(X, y, model, weight=None):
    table = code_table(X, len(model.classes_))
    bench = Bench.for_rows(len(X), table)
    codes = np.searchsorted(model.classes_, y)
    rules = rules_of(model, len(X))
    tree, node = adopt(table, rules, stream_of(model), multiplicities(model, codes, weight)[0], codes, model, bench)
    assert node == -1
    return tree, table, rules, bench


def forget(X, y, model, gone, weight=None):
    tree, table, rules, bench = adopted(X, y, model, weight)
    gone = gone[(tree.roots.labels[gone] >> 8) > 0].astype(np.int32)
    stays = np.ones(len(X), dtype=bool)
    for part in np.array_split(gone, 2) if len(gone) > 1 else [gone]:
        if len(part):
            stays[part] = False
            tree = leaving(tree, part).taken(table, rules, stays, bench)
    return tree, table, rules


def compare(X, tree, table, rules, again):
    """Walk both trees; where their splits differ, demand that their proxies tie bitwise. Return ties and nodes compared."""
    ours, theirs = tree.estimator.tree_, again.tree_
    scratch = make_scratch(len(X), table)
    labels = tree.roots.labels
    ties = nodes = 0
    stack = [(0, 0, np.sort(tree.samples))]
    while stack:
        one, other, rows = stack.pop()
        nodes += 1
        same = all(getattr(ours, name)[one] == getattr(theirs, name)[other] for name in FIELDS)
        assert np.array_equal(ours.value[one], theirs.value[other])
        if not same:
            sums = np.bincount(labels[rows] & 255, weights=labels[rows] >> 8, minlength=table.n_classes)
            proxies, rows = [], rows.astype(np.int32)
            pairs = scratch.pairs[: len(rows)]
            put_pairs(labels, rows, pairs)
            for which, node in ((ours, one), (theirs, other)):
                if which.feature[node] < 0:
                    proxies.append(None)
                    continue
                column = side_of(table, which.feature[node], which.missing_go_to_left[node])
                kind, proxy, *_ = best_split(table, rules, column, pairs, sums, sums.sum(), -np.inf, scratch)
                assert kind != NO_SPLIT
                proxies.append(proxy)
            assert proxies[0] == proxies[1]
            assert ours.feature[one] != theirs.feature[other]
            ties += 1
            continue
        if ours.feature[one] >= 0:
            assert ours.missing_go_to_left[one] == theirs.missing_go_to_left[other]
            values = X[rows, ours.feature[one]]
            left = (values <= ours.threshold[one]) | (np.isnan(values) & (ours.missing_go_to_left[one] == 1))
            stack.append((ours.children_left[one], theirs.children_left[other], rows[left]))
            stack.append((ours.children_right[one], theirs.children_right[other], rows[~left]))
    return ties, nodes


OPTIONS = [
    {},
    {"max_depth": 5},
    {"criterion": "entropy"},
    {"min_samples_leaf": 4},
    {"min_samples_split": 12, "criterion": "log_loss"},
    {"class_weight": {0: 2, 1: 1, 2: 3}},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_equals_fitting_with_weight_zero(options, classes, missing):
    X, y = make_classification(700, 8, n_informative=5, n_classes=classes, flip_y=0.1, random_state=7)
    X = X.astype(np.float32)
    X[np.random.default_rng(2).random(X.shape) < missing] = np.nan
    if classes == 2 and "class_weight" in options:
        options = {"class_weight": {0: 2, 1: 1}}
    model = DecisionTreeClassifier(random_state=5, **options).fit(X, y)
    draw = np.random.default_rng(1)
    ties = nodes = 0
    for count in (1, 1, 1, 3, 10, 80, 300):
        gone = draw.choice(len(X), count, replace=False)
        weight = np.ones(len(X))
        weight[gone] = 0
        again = DecisionTreeClassifier(random_state=5, **options).fit(X, y, sample_weight=weight)
        found = compare(X, *forget(X, y, model, gone), again)
        ties, nodes = ties + found[0], nodes + found[1]
    assert nodes > 200
    assert ties < 0.2 * nodes


@st.composite
def tables(draw):
    n = draw(st.integers(4, 40))
    d = draw(st.integers(1, 4))
    kinds = [draw(st.sampled_from(["few", "constant", "near", "many", "gaps", "holes"])) for _ in range(d)]
    cells = {"few": st.integers(0, 3), "constant": st.just(2), "many": st.integers(-50, 50)}
    cells["gaps"] = st.sampled_from([np.nan, 0.0, 1.0, 2.0])
    cells["holes"] = st.sampled_from([np.nan, 5.0])
    cells["near"] = st.integers(0, 6).map(lambda step: 0.5 + 6e-8 * step)
    X = np.column_stack([draw(st.lists(cells[kind], min_size=n, max_size=n)) for kind in kinds]).astype(np.float32)
    classes = draw(st.integers(2, 3))
    y = np.array(draw(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n)))
    y[:classes] = np.arange(classes)
    weight = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)), dtype=float)
    weight[:classes] = 1
    gone = draw(st.lists(st.integers(classes, n - 1), max_size=n - classes, unique=True)) if n > classes else []
    options = {
        "criterion": draw(st.sampled_from(["gini", "entropy", "log_loss"])),
        "min_samples_leaf": draw(st.integers(1, 3)),
        "max_depth": draw(st.sampled_from([None, 2])),
    }
    return X, y, weight, np.array(gone, dtype=int), options, draw(st.integers(0, 2**31 - 2))


@settings(max_examples=200, deadline=None)
@given(tables())
def test_equals_fitting_with_weight_zero_on_any_table(case):
    X, y, weight, gone, options, seed = case
    model = DecisionTreeClassifier(random_state=seed, **options).fit(X, y, sample_weight=weight)
    assume(len(gone))
    left = weight.copy()
    left[gone] = 0
    again = DecisionTreeClassifier(random_state=seed, **options).fit(X, y, sample_weight=left)
    compare(X, *forget(X, y, model, gone, weight), again)


@settings(max_examples=200, deadline=None)
@given(tables(), st.integers(1, 4), st.sampled_from([("best", 0), ("random", 2), ("random", 128)]))
def test_equals_building_from_scratch_on_any_table(case, max_features, kind):
    X, y, weight, gone, options, seed = case
    options = options | {"max_features": min(max_features, X.shape[1]), "splitter": kind[0]}
    model = DecisionTreeClassifier(random_state=seed, **options)
    model.fit(X, y, sample_weight=weight)
    with patch.object(forest_tree, "LARGE", kind[1]):
        forget_one_by_one(X, y, model, gone, weight)


def forget_one_by_one(X, y, model, gone, weight):
    tree, table, rules, bench = adopted(X, y, model, weight)
    known = [row for row in gone if weight[row] > 0]
    for count in range(1, len(known) + 1):
        stays = np.ones(len(X), dtype=bool)
        stays[known[:count]] = False
        tree = leaving(tree, np.array(known[count - 1 : count], dtype=np.int32)).taken(table, rules, stays, bench)
        rows = np.flatnonzero(stays & (weight > 0)).astype(np.int32)
        other = grow(table, rules, tree.roots, rows, tree.estimator, bench)
        assert first_difference(tree.grown, other.grown) == -1


def looks(X, y, rows):
    """Return what decides how many draws a node's features take: which are constant in it, and which are missing."""
    part = X[rows]
    missing = np.isnan(part)
    low, high = np.fmin.reduce(part, axis=0), np.fmax.reduce(part, axis=0)
    constant = missing.all(axis=0) | (~missing.any(axis=0) & (high <= low + np.float32(1e-7)))
    return constant.tolist(), missing.any(axis=0).tolist(), len(np.unique(y[rows])) > 1


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("max_features", [None, 3])
@pytest.mark.parametrize("options", [{}, {"criterion": "entropy", "min_samples_leaf": 20}], ids=str)
def test_drawn_thresholds_equal_fitting_with_weight_zero(options, max_features, missing):
    # While every node takes as many draws as before, scikit-learn draws the same numbers again.
    X, y = make_classification(900, 8, n_informative=5, flip_y=0.2, random_state=7)
    X = X.astype(np.float32)
    X[np.random.default_rng(2).random(X.shape) < missing] = np.nan
    draw = np.random.default_rng(1)
    compared = 0
    for seed in range(6):
        model = ExtraTreeClassifier(max_depth=3, max_features=max_features, random_state=seed, **options).fit(X, y)
        for count in (1, 3, 30, 300):
            gone = draw.choice(len(X), count, replace=False)
            weight = np.ones(len(X))
            weight[gone] = 0
            again = clone(model).fit(X, y, sample_weight=weight)
            tree, table, rules = forget(X, y, model, gone)
            known = np.flatnonzero(weight > 0).astype(np.int32)
            stored = grown_of(again)
            scratch = make_scratch(len(X), table)
            first, features, fractions, _ = replayed(table, rules, stream_of(again).seed, known, stored, scratch)
            draws = tree.roots.draws
            pairs = ((first, draws.first), (features, draws.features), (fractions, draws.fractions))
            if all(np.array_equal(one, other) for one, other in pairs):
                assert first_difference(tree.grown, stored) == -1
                compared += 1
    assert compared >= 12


@settings(max_examples=100, deadline=None)
@given(tables(), st.integers(1, 4))
def test_drawn_roots_equal_fitting_with_weight_zero_on_any_table(case, max_features):
    X, y, weight, gone, options, seed = case
    options = options | {"max_depth": 1, "max_features": min(max_features, X.shape[1])}
    model = ExtraTreeClassifier(random_state=seed, **options).fit(X, y, sample_weight=weight)
    left = weight.copy()
    left[gone] = 0
    tree, *_ = forget(X, y, model, gone, weight)
    if looks(X, y, weight > 0) == looks(X, y, left > 0):
        again = clone(model).fit(X, y, sample_weight=left)
        assert first_difference(tree.grown, grown_of(again)) == -1


@settings(max_examples=80, deadline=None)
@given(tables(), st.sampled_from([RandomForestClassifier, ExtraTreesClassifier]), st.sampled_from([None, 3, False]))
def test_forests_equal_building_from_scratch_on_any_table(case, kind, max_samples):
    X, y, _, gone, options, seed = case
    drawn = max_samples is not False
    model = kind(2, random_state=seed, bootstrap=drawn, max_samples=max_samples if drawn else None, **options).fit(X, y)
    table, rules = code_table(X, len(model.classes_)), rules_of(model, len(X))
    bench = Bench.for_rows(len(X), table)
    stays = np.ones(len(X), dtype=bool)
    stays[gone] = False
    for estimator, weight in zip(model.estimators_, multiplicities(model, y, None), strict=True):
        tree, node = adopt(table, rules, stream_of(estimator), weight, y, estimator, bench)
        assert node == -1
        rows = np.flatnonzero(stays & (weight > 0)).astype(np.int32)
        mine = np.array([row for row in gone if weight[row] > 0], dtype=np.int32)
        if len(rows) and len(mine):
            after = leaving(tree, mine).taken(table, rules, stays, bench)
            other = grow(table, rules, tree.roots, rows, tree.estimator, bench)
            assert first_difference(after.grown, other.grown) == -1
            assert np.array_equal(after.marks.origin, other.marks.origin)


def test_kernels_compiled_for_many_columns_serve_one():
    one, many = (code_table(np.arange(12.0, dtype=np.float32).reshape(12 // width, width), 2) for width in (1, 3))
    assert typeof(one) == typeof(many)
