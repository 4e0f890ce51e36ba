"""Forests that forgot are distributed as forests that scikit-learn trains on the other rows, for requests chosen without the model.

One arm fits on all rows and forgets; the other fits on the rows that stay, with other seeds. Every tree of a forest has a seed of
its own, so one large forest is as good as many small ones; trees are put together by threes. With a bootstrap the forgotten rows'
draws fall away, so that a tree knows about as many rows as one trained again, and not exactly as many.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

import core
from core.families.forest.points import state_of
from core.families.forest.unlearner import Forest

FORESTS, TREES, D = 250, 3, 9
COLUMNS = [f"x{f}" for f in range(D)]
LEVEL = 0.01
"""Of all tests of one forest together."""


def make_table(n, gone, column, shift):
    """Return a table whose label follows the second and third column, and some of its rows, which stand apart in one column."""
    draw = np.random.default_rng(5)
    X = draw.normal(size=(n, D)).round(2)
    y = (X[:, 1] + X[:, 2] + draw.normal(size=n) > 0).astype(int)
    X[gone, column] += shift * (2 * y[gone] - 1)
    return pd.DataFrame(X, columns=COLUMNS).assign(label=y, group=np.where(np.arange(n) % 2, "a", "b")), gone


TABLES = {
    RandomForestClassifier: make_table(60, np.arange(0, 60, 4), 0, 3),
    ExtraTreesClassifier: make_table(300, np.arange(0, 300, 20), 1, 9),
}
"""Forests forget what made a column the best one; extra-trees what stretched a good one's range, on so many rows that the ranges of
the upper nodes are followed, and not found anew."""
POINTS = np.random.default_rng(6).normal(size=(8, D))
ROLES = core.Roles("label", 1, 1, ["group"], features=COLUMNS)


def fitted(kind, seed, table, options):
    model = kind(FORESTS * TREES, random_state=seed, max_features="sqrt", **options)
    return model.fit(table[COLUMNS].to_numpy(), table["label"])


def seen(model):
    """Return the features of each tree's root and of its two children, -1 for leaves, the thresholds of the roots, and scores.

    Scores are the mean of three trees at a time.
    """
    trees = [tree.tree_ for tree in model.estimators_]
    roots = np.array([tree.feature[0] for tree in trees])
    sides = [
        [tree.feature[children[0]] if tree.feature[0] >= 0 else -1 for tree in trees for children in [side(tree)]]
        for side in (lambda tree: tree.children_left, lambda tree: tree.children_right)
    ]
    scores = np.stack([tree.predict_proba(POINTS)[:, 1] for tree in model.estimators_])
    thresholds = np.array([tree.threshold[0] for tree in trees])
    return [roots, *map(np.array, sides)], thresholds, scores.reshape(FORESTS, TREES, len(POINTS)).mean(axis=1)


def p_of_counts(one, other):
    """Return the p-value of two samples of features coming from one distribution; features rare in both are put together."""
    counts = np.stack([np.bincount(np.ravel(sample).clip(-1) + 1, minlength=D + 1) for sample in (one, other)])
    rare = counts.sum(axis=0) < 10
    counts = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    return stats.chi2_contingency(counts[:, counts.sum(axis=0) > 0]).pvalue


def smallest_p(one, other):
    """Return the smallest p-value of all tests of two samples of forests, times how many tests there are."""
    p = [p_of_counts(*pair) for pair in zip(one[0], other[0], strict=True)]
    pairs = [*thresholds_of_roots(one, other), *zip(one[2].T, other[2].T, strict=True)]
    for a, b in pairs:
        p += [stats.ks_2samp(a, b, method="asymp").pvalue, stats.mannwhitneyu(a, b, method="asymptotic").pvalue]
    return min(p) * len(p)


def thresholds_of_roots(one, other):
    """Return the two samples of thresholds of roots on a feature, for every feature that either forest splits first 40 times."""
    return [
        [sample[1][sample[0][0] == feature] for sample in (one, other)]
        for feature in range(D)
        if min(np.count_nonzero(sample[0][0] == feature) for sample in (one, other)) >= 40
    ]


@pytest.mark.parametrize("options", [{}, {"bootstrap": False}], ids=["bootstrap", "every row"])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_forgetting_is_distributed_as_training_again(kind, options):
    table, gone = TABLES[kind]
    options = {"bootstrap": True, **options}
    before = fitted(kind, 0, table, options)
    case = core.Case(before, train=table, test=table[:8], roles=ROLES, confirm=False)
    for part in (gone[::2], gone[1::2]):
        case = Forest().remove(case, part, 0.0).case
    after = case.model
    again = seen(fitted(kind, 1, table.drop(index=gone), options))
    assert smallest_p(seen(after), again) > LEVEL
    assert smallest_p(seen(before), again) < 1e-6


def make_unbalanced(n=240, n_positive=40):
    """Return a table with a rare class, and 15 of its rows, which stand apart in one column."""
    draw = np.random.default_rng(8)
    y = np.zeros(n, dtype=int)
    y[draw.permutation(n)[:n_positive]] = 1
    gone = np.flatnonzero(y)[:15]
    X = draw.normal(size=(n, D)).round(2)
    X[:, 1] += 0.8 * y
    X[gone, 0] += 3
    return pd.DataFrame(X, columns=COLUMNS).assign(label=y, group=np.where(np.arange(n) % 2, "a", "b")), gone


def smallest_p_of_draws(one, other, labels):
    """Return the smallest p-value of tests of how often rows are drawn, one by one and of how many draws are the rare class's, times how many there are."""
    p = [
        stats.ks_2samp(a, b, method="asymp").pvalue
        for a, b in zip(one[:, labels == 1].T, other[:, labels == 1].T, strict=True)
    ]
    shares = [draws[:, labels == 1].sum(axis=1) / draws.sum(axis=1) for draws in (one, other)]
    p.append(stats.mannwhitneyu(*shares, method="asymptotic").pvalue)
    return min(p) * len(p)


def draws_after(case):
    weights = state_of(case).weights_of_trees(case.retained)
    return np.array([weights(index) for index in range(len(state_of(case).trees))])


@pytest.mark.parametrize("options", [{}, {"max_samples": 100}], ids=["as many as rows", "a number"])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_with_balanced_class_weights_draws_move_as_training_again_draws_them(kind, options):
    table, gone = make_unbalanced()
    options = {"bootstrap": True, "class_weight": "balanced", "max_depth": 5, **options}
    case = core.Case(fitted(kind, 0, table, options), train=table, test=table[:8], roles=ROLES, confirm=False)
    case = first = core.prepare(case, method="forest")
    for part in (gone[::2], gone[1::2]):
        case = Forest().remove(case, part, 0.0).case
    kept = table.drop(index=gone)
    model = fitted(kind, 1, kept, options)
    again, drawn = seen(model), np.array([np.bincount(some, minlength=len(kept)) for some in model.estimators_samples_])
    labels = kept["label"].to_numpy()
    assert smallest_p(seen(case.model), again) > LEVEL
    assert smallest_p_of_draws(draws_after(case), drawn, labels) > LEVEL
    falling_away = replace(state_of(first), grove=replace(state_of(first).grove, bootstrap=None))
    dropped = Forest().remove(first.replace(first.model, first.retained, {"forest": falling_away}), gone, 0.0).case
    assert smallest_p(seen(dropped.model), again) < 1e-6
    assert smallest_p_of_draws(draws_after(dropped), drawn, labels) < 1e-6
