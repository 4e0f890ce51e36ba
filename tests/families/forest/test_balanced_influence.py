"""Influence in forests with balanced class weights, where the draws of what goes fall on the rest of its class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

import core
from core.attribution.smooth import SmoothMetric
from core.families.forest import influence
from core.families.forest.points import state_of
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK
from core.numerics.trees.effects import add_effects_of_draws, class_pulls
from sample_data.fraud import make
from tests.conftest import ids_of
from tests.families.forest.test_influence import GAP, NUMBERS, ROLES, TEST, TRAIN, described_groups

N_TREES = 40
COLUMNS = make.NUMBERS + make.CATEGORIES


def make_case(**options):
    model = RandomForestClassifier(7, random_state=1, class_weight="balanced", **options)
    return core.prepare(
        core.Case(model.fit(TRAIN[NUMBERS], TRAIN["granted"]), train=TRAIN, test=TEST, roles=ROLES, seed=0)
    )


def paths_of(case, tree):
    """Return which nodes training rows and test rows pass through."""
    tables = TRAIN[NUMBERS], case.X_test.iloc[case.rows("explore")]
    return [tree.decision_path(table.to_numpy(dtype=np.float32)).toarray().astype(float) for table in tables]


def weights_of(living):
    return (living.roots.labels >> CLASS_BITS).astype(float), living.roots.labels & CLASS_MASK


@pytest.mark.parametrize("options", [{}, {"max_depth": 3}], ids=["pure leaves", "depth 3"])
def test_the_effect_of_draws_is_the_slope_along_the_weight_of_a_class(options):
    case = make_case(**options)
    pull = np.random.default_rng(0).normal(size=len(case.rows("explore")))
    X = case.X_test.iloc[case.rows("explore")].to_numpy(dtype=np.float32)
    for living in state_of(case).trees:
        tree, (weight, codes) = living.estimator.tree_, weights_of(living)
        rows, points = paths_of(case, tree)
        parent = np.full(tree.node_count, -1)
        for children in (tree.children_left, tree.children_right):
            parent[children[children >= 0]] = np.flatnonzero(children >= 0)
        factor = 1.0 / (1.0 + 5.0 / tree.weighted_n_node_samples)
        above = np.where(parent >= 0, factor[parent], 1.0)
        part = above - np.where(tree.children_left >= 0, factor, 0.0)

        def moved(label, times, part=part, points=points, rows=rows, weight=weight, codes=codes):
            now = np.where(codes == label, times * weight, weight)
            return pull @ points @ (part * (((now * (codes == 1)) @ rows) / (now @ rows)))

        words, reals, values = living.grown[:3]
        found, effects = np.empty(2), np.zeros(len(TRAIN))
        class_pulls(words, reals, values, 1, influence.node_masses(words, reals, X, pull), 5.0, found)
        slopes = [(moved(label, 1 + 1e-6) - moved(label, 1 - 1e-6)) / 2e-6 for label in (0, 1)]
        np.testing.assert_allclose(found, slopes, rtol=1e-5, atol=1e-8)
        assert np.abs(found).max() > 1e-3
        add_effects_of_draws(living.samples, living.roots.labels, found, effects)
        held = np.bincount(codes, weight)
        np.testing.assert_allclose(effects, found[codes] * weight / (held[codes] - weight))


def test_influence_holds_the_effect_of_draws():
    case = make_case(max_depth=4)
    falling_away = replace(state_of(case), grove=replace(state_of(case).grove, bootstrap=None))
    smooth = SmoothMetric.of(case, GAP, "sex", "explore", floor=0.5 / 7)
    pull = smooth.gradient(case.scores("explore")) / 7
    X = case.X_test.iloc[case.rows("explore")].to_numpy(dtype=np.float32)
    dropping = case.replace(case.model, case.retained, {"forest": falling_away})
    expected = core.influence(dropping, GAP).to_numpy(copy=True)
    for living in state_of(case).trees:
        words, reals, values = living.grown[:3]
        pulls = np.empty(2)
        class_pulls(words, reals, values, 1, influence.node_masses(words, reals, X, pull), influence.SHRINKAGE, pulls)
        add_effects_of_draws(living.samples, living.roots.labels, pulls, expected)
    np.testing.assert_allclose(core.influence(case, GAP).to_numpy(), expected, rtol=1e-9, atol=1e-15)


def shrunk(tree, held, found):
    """Return the shrunk value of every node from its weight and that of the positive class."""
    values, share = np.zeros((2, tree.node_count))
    values[0] = share[0] = found[0] / held[0]
    for node in np.flatnonzero(tree.children_left >= 0):
        for child in (tree.children_left[node], tree.children_right[node]):
            share[child] = found[child] / held[child] if held[child] > 0 else share[node]
            step = (share[child] - share[node]) * held[node] / (held[node] + influence.SHRINKAGE)
            values[child] = values[node] + step
    return values


def test_groups_leave_classes_their_weight():
    case, draw = make_case(), np.random.default_rng(1)
    y = case.y_train
    groups = [np.flatnonzero(y)[:60], np.flatnonzero(~y)[::3], draw.permutation(len(y))[:90]]
    found = influence.ForestInfluence().group_scores(case, groups, "explore") - case.scores("explore")
    expected = np.zeros(found.shape)
    for living in state_of(case).trees:
        tree, (weight, codes) = living.estimator.tree_, weights_of(living)
        rows, points = paths_of(case, tree)
        leaf = points @ np.diag(tree.children_left < 0)
        before = shrunk(tree, weight @ rows, (weight * y) @ rows)
        for own, group in zip(expected, groups, strict=True):
            left = np.where(np.isin(np.arange(len(y)), group), 0.0, weight)
            left *= (np.bincount(codes, weight) / np.bincount(codes, left))[codes]
            own += leaf @ (shrunk(tree, left @ rows, (left * y) @ rows) - before) / 7
    scores = case.scores("explore")
    np.testing.assert_allclose(found, np.clip(scores + expected, 0.0, 1.0) - scores, atol=1e-6)
    assert np.abs(found).max() > 0.05


@pytest.fixture(scope="module")
def fraud():
    """Return a case of few frauds, and groups that a rule describes, of one class each."""
    planted = make.make_fraud(0)
    chosen = (planted.train["fraud"] == 1) | (np.arange(len(planted.train)) % 6 == 0)
    train = planted.train[chosen].reset_index(drop=True)
    pipeline = make.unfitted_pipeline()
    pipeline[-1].set_params(n_estimators=N_TREES, class_weight="balanced", bootstrap=True, min_samples_leaf=20)
    model = pipeline.fit(train[COLUMNS], train["fraud"])
    case = core.prepare(core.Case(model, train=train, test=planted.test, roles=make.ROLES, seed=0))
    rules = described_groups(train, 80, np.random.default_rng(0))
    groups = [np.flatnonzero(rule & (case.y_train == number % 2)) for number, rule in enumerate(rules)]
    return case, [group for group in groups if len(group) >= 5]


def test_groups_are_ranked_as_by_real_removals_and_for_the_draws_that_move(fraud):
    case, groups = fraud
    falling_away = replace(state_of(case), grove=replace(state_of(case).grove, bootstrap=None))
    dropping = case.replace(case.model, case.retained, {"forest": falling_away})
    after = [core.unlearn(case, case.record_ids[group], method="forest").case.scores("explore") for group in groups]
    for metric in ("brier_score", "demographic_parity_difference"):
        feature = case.roles.sensitive_features[0]
        smooth = SmoothMetric.of(case, metric, feature, "explore", floor=0.5 / N_TREES)
        real = np.array([smooth.value(scores) for scores in after]) - smooth.value(case.scores("explore"))
        found = []
        for each in (case, dropping):
            single = core.influence(each, metric).to_numpy()
            kept = core.group_changes(each, ids_of(each, groups), metric=metric)
            found.append(
                [np.corrcoef(real, change)[0, 1] for change in (kept, [single[group].sum() for group in groups])]
            )
        assert min(found[0]) > 0.4
        assert (np.array(found[0]) > np.array(found[1]) + 0.2).all()
