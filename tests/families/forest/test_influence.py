"""Influence in forests against shrunk trees summed by hand, against real removals of described groups, and its previews."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

import core
from core.attribution.outcome import Outcome
from core.attribution.smooth import SmoothMetric
from core.errors import InputError, NotSupportedError
from core.families.forest import influence, influence_of_groups
from core.families.forest.influence import KEPT, ForestInfluence
from core.families.forest.points import state_of
from core.metrics.compare import compare_groups
from core.numerics.trees.arrays import CLASS_BITS, CLASS_MASK
from sample_data.fraud import make
from sample_data.making import Planted
from tests.conftest import ids_of, make_table

NUMBERS = ["age", "income", "debt"]
TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((500, 31), (400, 32)))
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")
GAP = "equal_opportunity_difference"
DEPTHS = pytest.mark.parametrize("depth", [None, 10], ids=["pure leaves", "depth 10"])


def make_case(roles: core.Roles = ROLES, **options: object) -> core.Case:
    model = RandomForestClassifier(7, random_state=1, **options).fit(TRAIN[NUMBERS], TRAIN["granted"])
    return core.prepare(core.Case(model, train=TRAIN, test=TEST, roles=roles, seed=0))


def shrunk_prediction(tree, rows, weight, y, row, shrinkage):
    """Return what a shrunk tree gives one point, from the training rows that share its nodes; `row` is the point's path."""
    total, above, before = 0.0, 1.0, 0.0
    for node in row:
        held = weight @ rows[:, node]
        share = before if held == 0 else (weight * y) @ rows[:, node] / held
        total += above * (share - before)
        if held == 0:
            break
        above, before = 1.0 / (1.0 + shrinkage / (tree.weighted_n_node_samples[node])), share
    return total


@pytest.mark.parametrize("options", [{}, {"max_depth": 3}], ids=["pure leaves", "depth 3"])
def test_effects_are_those_of_leaving_rows_out_of_shrunk_trees(options, monkeypatch):
    monkeypatch.setattr(influence, "SHRINKAGE", 5.0)
    case = make_case(**options)
    effects = core.influence(case, "brier_score").to_numpy()
    smooth = SmoothMetric.of(case, "brier_score", "sex", "explore", floor=0.5 / 7)
    pull = smooth.gradient(case.scores("explore")) / 7
    X = case.X_test.iloc[case.rows("explore")].to_numpy(dtype=np.float32)[:40]
    y = case.y_train.astype(float)
    for position in (0, 17, 101):
        expected = 0.0
        for living in state_of(case).trees:
            tree, weight = living.estimator.tree_, (living.roots.labels >> CLASS_BITS).astype(float)
            rows = tree.decision_path(TRAIN[NUMBERS].to_numpy(dtype=np.float32)).toarray().astype(float)
            assert ((living.roots.labels & CLASS_MASK) == y).all()
            without = np.where(np.arange(len(y)) == position, 0.0, weight)
            for point, path in enumerate(tree.decision_path(X)):
                nodes = path.indices
                expected += pull[point] * (
                    shrunk_prediction(tree, rows, without, y, nodes, 5.0)
                    - shrunk_prediction(tree, rows, weight, y, nodes, 5.0)
                )
        found = effect_through(case, position, X, pull[:40])
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-15)
    assert np.isfinite(effects).all()


def effect_through(case, position, X, pull):
    total = np.zeros(len(TRAIN))
    for living in state_of(case).trees:
        words, reals, values = living.grown[:3]
        mass = influence.node_masses(words, reals, X, pull)
        share = np.ascontiguousarray(values[:, 1])
        influence.add_effects(words, reals, share, living.samples, living.roots.labels, 1, mass, 5.0, total)
    return total[position]


def test_the_smooth_gradient_is_the_derivative_by_probabilities():
    case = make_case(max_depth=3)
    scores = np.clip(case.scores("explore"), 0.01, 0.99)
    along = np.random.default_rng(1).normal(size=len(scores))
    for metric in (GAP, "selection_rate", "brier_score", "log_loss", "recall"):
        for roles in (ROLES, ROLES.with_(favorable_label=0)):
            smooth = SmoothMetric.of(make_case(roles, max_depth=3), metric, "sex", "explore", floor=0.05)
            slope = (smooth.value(scores + 1e-6 * along) - smooth.value(scores - 1e-6 * along)) / 2e-6
            assert smooth.gradient(scores) @ along == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_a_unanimous_wrong_vote_has_a_finite_log_loss_slope():
    case = make_case()
    smooth = SmoothMetric.of(case, "log_loss", "sex", "explore", floor=0.5 / 7)
    assert np.abs(smooth.gradient(case.scores("explore"))).max() <= 14 / len(case.rows("explore"))


@pytest.fixture(scope="module")
def fraud() -> Planted:
    return make.make_fraud(0)


def described_groups(train, count: int, draw: np.random.Generator) -> list[np.ndarray]:
    """Return groups that up to three raw columns describe, each of 0.5 to 5% of the rows."""
    conditions = []
    for name in make.NUMBERS + make.CATEGORIES:
        column = train[name]
        if name in make.CATEGORIES:
            conditions += [(name, (column == value).to_numpy()) for value in column.unique()]
        else:
            edges = np.unique(np.quantile(column, np.linspace(0, 1, 6)))
            places = np.searchsorted(edges[1:-1], column, side="right")
            conditions += [(name, places == place) for place in range(len(edges) - 1)]
    groups: dict[tuple[int, ...], np.ndarray] = {}
    while len(groups) < count:
        chosen = tuple(sorted(draw.choice(len(conditions), draw.integers(1, 4), replace=False)))
        if len({conditions[index][0] for index in chosen}) == len(chosen):
            rows = np.logical_and.reduce([conditions[index][1] for index in chosen])
            if 0.005 <= rows.mean() <= 0.05:
                groups[chosen] = rows
    return list(groups.values())


@DEPTHS
def test_groups_are_ranked_as_by_real_removals(fraud, depth):
    pipeline = make.unfitted_pipeline()
    pipeline[-1].set_params(max_depth=depth, n_estimators=12)
    columns = make.NUMBERS + make.CATEGORIES
    train = fraud.train.head(10_000)
    model = pipeline.fit(train[columns], train["fraud"])
    case = core.prepare(core.Case(model, train=train, test=fraud.test, roles=make.ROLES, seed=0))
    groups = described_groups(train, 100, np.random.default_rng(0))
    true = [core.unlearn(case, case.record_ids[rows], method="forest").case.scores("explore") for rows in groups]
    for metric in ("false_positive_rate", "log_loss", "brier_score", "false_positive_rate_difference"):
        smooth = SmoothMetric.of(case, metric, "segment", "explore", floor=0.5 / 12, judged_only=False)
        change = np.array([smooth.value(scores) for scores in true]) - smooth.value(case.scores("explore"))
        together = core.group_changes(case, ids_of(case, groups), metric=metric, sensitive_feature="segment")
        assert np.corrcoef(together, change)[0, 1] >= 0.85
        if not smooth.metric.compares_groups:  # a gap is not additive: other groups become the worst and the best
            effects = core.influence(case, metric, sensitive_feature="segment").to_numpy()
            assert np.corrcoef([effects[rows].sum() for rows in groups], change)[0, 1] >= 0.75


def test_previews_are_the_removal_itself(monkeypatch):
    case = make_case()
    ids = case.record_ids[[3, 50, 99]]
    after = core.unlearn(case, ids).case
    table = core.preview(case, ids, metric=[GAP], n_resamples=20)
    assert table["after"].iloc[0] == core.compare(case, after, metric=[GAP], n_resamples=20)["after"].iloc[0]
    assert table.attrs["notes"] == ()
    monkeypatch.setattr(influence, "FEW_RECORDS", 2)
    monkeypatch.setattr(influence, "FEW_ROUTES", 10)
    assert core.preview(case, ids, metric=[GAP], n_resamples=20).attrs["notes"] == (KEPT,)


def test_scores_stay_where_nothing_goes():
    case = make_case()
    nothing = np.array([], dtype=np.intp)
    np.testing.assert_array_equal(ForestInfluence().group_scores(case, [nothing], "explore")[0], case.scores("explore"))
    assert core.group_changes(case, ids_of(case, [nothing]), metric=GAP, closely=True)[0] == 0.0


@pytest.mark.parametrize("options", [{}, {"max_depth": 4}], ids=["pure leaves", "depth 4"])
def test_group_scores_are_those_of_shrunk_trees_summed_again(options, monkeypatch):
    monkeypatch.setattr(influence, "SHRINKAGE", 5.0)
    case = make_case(**options)
    draw = np.random.default_rng(3)
    groups = [
        np.flatnonzero(TRAIN["age"] > 60),
        np.array([7]),
        *(draw.choice(len(TRAIN), 40, False) for _ in range(70)),
    ]
    found = ForestInfluence().group_scores(case, groups, "explore")
    X = case.X_test.iloc[case.rows("explore")].to_numpy(dtype=np.float32)
    expected = np.tile(case.scores("explore"), (3, 1))
    for living in state_of(case).trees:
        tree, weight = living.estimator.tree_, (living.roots.labels >> CLASS_BITS).astype(float)
        rows = tree.decision_path(TRAIN[NUMBERS].to_numpy(dtype=np.float32)).toarray().astype(bool)
        paths = tree.decision_path(X)
        now = shrunk_values(paths, rows, weight)
        for number, group in enumerate((groups[0], groups[1], groups[70])):
            left = weight.copy()
            left[group] = 0.0
            expected[number] += (shrunk_values(paths, rows, left) - now) / len(state_of(case).trees)
    np.testing.assert_allclose(found[[0, 1, 70]], expected.clip(0, 1), atol=1e-6)


def shrunk_values(paths, rows, weight, shrinkage=5.0):
    """Return what a tree, shrunk by the rows that are left, gives each point; nodes without rows end the path."""
    y, values = TRAIN["granted"].to_numpy(), []
    held, hits = weight @ rows, (weight * y) @ rows
    for path in paths:
        nodes = path.indices[held[path.indices] > 0]
        shares = hits[nodes] / held[nodes]
        values.append(shares[0] + (np.diff(shares) / (1.0 + shrinkage / held[nodes[:-1]])).sum())
    return np.array(values)


def test_looked_at_closely_a_small_table_is_the_removal_itself():
    case = make_case()
    group = np.flatnonzero(TRAIN["age"] > 60)
    after = core.unlearn(case, case.record_ids[group]).case
    outcome = Outcome.of(case, GAP, "sex", "explore")
    true = outcome.values(after.scores("explore")[None])[0] - outcome.value()
    assert core.group_changes(case, ids_of(case, [group]), metric=GAP, closely=True)[0] == pytest.approx(
        true, abs=1e-12
    )
    assert true != 0.0


def test_a_preview_shrinks_the_sampled_trees_by_their_scatter(monkeypatch):
    monkeypatch.setattr(influence, "FEW_RECORDS", 2)
    monkeypatch.setattr(influence, "FEW_ROUTES", 10)
    monkeypatch.setattr(influence_of_groups, "ROUTES", 0)
    monkeypatch.setattr(influence_of_groups, "FEWEST_TREES", 3)
    case, group = make_case(), np.flatnonzero(TRAIN["age"] > 60)
    kept = influence_of_groups.changes_kept(case, [group], "explore", influence.SHRINKAGE)[0]
    found = core.predicted_scores(case, case.record_ids[group])[0]
    after = core.unlearn(case, case.record_ids[group]).case
    X = case.X_test.iloc[case.rows("explore")].to_numpy(dtype=np.float32)
    votes = [
        np.array([tree.predict_proba(X)[:, 1] for tree in np.array(one.model.estimators_)[[0, 3, 6]]])
        for one in (case, after)
    ]
    change = votes[1] - votes[0]
    scatter = change.var(axis=0, ddof=1).mean() * (1 / 3 - 1 / 7)
    weight = max(0.0, 1.0 - scatter / ((change.mean(axis=0) - kept) ** 2).mean())
    assert 0.0 < weight < 1.0
    change = weight * change.mean(axis=0) + (1 - weight) * kept
    np.testing.assert_allclose(found, np.clip(case.scores("explore") + change, 0.0, 1.0), atol=1e-6)


def test_trees_left_without_rows_keep_their_say():
    case = make_case(max_samples=0.005)
    living = state_of(case).trees[0]
    group = np.flatnonzero((living.roots.labels >> CLASS_BITS) > 0)
    assert np.isfinite(core.predicted_scores(case, case.record_ids[group])[0]).all()
    found = core.measured_changes(case, ids_of(case, [group]), metric="brier_score")
    assert found.changes[0] == core.group_changes(case, ids_of(case, [group]), metric="brier_score")[0]
    assert np.isnan(found.correlation)


def test_the_most_harmful_records_are_rescored_by_really_removing_each_alone():
    case = make_case()
    predicted, found = core.influence(case, GAP), core.influence(case, GAP, rescore=5)
    ids = core.harmful(predicted)[:5]
    assert found.attrs["rescored"] == tuple(ids)
    smooth = SmoothMetric.of(case, GAP, "sex", "explore", floor=0.5 / 7)
    for record in ids:
        scores = core.unlearn(case, [record]).case.scores("explore")
        true = smooth.value(scores) - smooth.value(case.scores("explore"))
        assert found[record] == pytest.approx(true, abs=1e-12)
        assert found[record] != predicted[record]
    np.testing.assert_array_equal(found.drop(ids), predicted.drop(ids))
    with pytest.raises(InputError, match="whole number from 0 to 439"):
        core.influence(case, GAP, rescore=501)


def test_previews_by_group_are_the_groups_own_rates():
    case = make_case()
    ids = case.record_ids[[3, 50, 99]]
    after = core.unlearn(case, ids).case
    table = core.preview(case, ids, metric=GAP, n_resamples=20, by_group=True)
    pd.testing.assert_frame_equal(table, compare_groups(case, after, metric=GAP, n_resamples=20))
    assert set(table.index.get_level_values("group")) == {"f", "m"}


def test_influence_follows_removals_and_needs_no_preparation():
    model = RandomForestClassifier(7, random_state=1).fit(TRAIN[NUMBERS], TRAIN["granted"])
    bare = core.Case(model, train=TRAIN, test=TEST, roles=ROLES, seed=0)
    prepared = make_case()
    np.testing.assert_array_equal(core.influence(bare, GAP), core.influence(prepared, GAP))
    after = core.unlearn(prepared, ["p1", "p2"]).case
    effects = core.influence(after, GAP)
    assert len(effects) == len(TRAIN) - 2
    assert not {"p1", "p2"} & set(effects.index)
    assert np.isfinite(effects).all()


def test_forests_that_cannot_be_adopted_are_refused_with_the_reason():
    model = RandomForestClassifier(5, random_state=1, class_weight="balanced_subsample").fit(
        TRAIN[NUMBERS], TRAIN["granted"]
    )
    with pytest.raises(NotSupportedError, match="class_weight"):
        core.influence(core.Case(model, train=TRAIN, test=TEST, roles=ROLES), GAP)
