"""Forests whose preprocessing is another one without some records: against scikit-learn, in any order of removals, and in distribution."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from numba import njit
from scipy import stats
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, QuantileTransformer, StandardScaler
from sklearn.random_projection import GaussianRandomProjection
from sklearn.tree import DecisionTreeClassifier

import core
from core.errors import InputError
from core.families.forest.anew import draws_among
from core.families.forest.coding import code_table, recoded
from core.families.forest.parts import features_drawn
from core.families.forest.points import state_of
from core.families.forest.tree import first_difference
from core.families.forest.unlearner import Forest
from core.numerics.trees.arrays import Draws
from core.numerics.trees.draws import draw_next, mixed, recorded_order
from core.verification import check_unlearner
from tests.conftest import ids_of, make_table
from tests.families.forest.test_against_sklearn import compare
from tests.families.forest.test_distribution import p_of_counts

TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((400, 31), (300, 32)))
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")
COLUMNS = ["sex", "job", "age", "debt", "income"]
NURSES = TRAIN["person"][TRAIN["job"] == "nurse"]
OTHERS = TRAIN["person"][TRAIN["job"] != "nurse"]
ANY = {"handle_unknown": "ignore"}
begin, put_next, hashed = (njit(one.py_func) for one in (recorded_order, draw_next, mixed))


def make_case(last, *, scaled=StandardScaler, words=None):
    columns = make_column_transformer(
        (words or OneHotEncoder(**ANY), ["sex", "job"]), (scaled(), ["age", "debt"]), remainder="passthrough"
    )
    return core.Case(make_pipeline(columns, last).fit(TRAIN[COLUMNS], TRAIN["granted"]), TRAIN, TEST, ROLES)


def refitted(case):
    left = case.train[case.retained]
    return clone(case.model).fit(left[COLUMNS], left["granted"])


def assert_same_trees(one, other):
    for tree, twin in zip(state_of(one).trees, state_of(other).trees, strict=True):
        assert first_difference(tree.grown, twin.grown) == -1
    assert np.array_equal(one.scores("test"), other.scores("test"))


@pytest.mark.parametrize("gone", [NURSES, OTHERS[:30], [*NURSES, *OTHERS[:30]]], ids=["column", "scale", "both"])
def test_a_tree_equals_scikit_learns_on_the_new_columns(gone):
    after = core.unlearn(make_case(DecisionTreeClassifier(random_state=0)), gone, method="forest").case
    grove, tree, again = state_of(after).grove, state_of(after).trees[0], refitted(after)
    ties, nodes = compare(grove.X, tree, grove.table, grove.rules, again[-1])
    assert nodes > 50 > ties
    np.testing.assert_array_equal(
        after.model[:-1].transform(TEST[COLUMNS]), again[:-1].transform(TEST[COLUMNS]), strict=True
    )


@pytest.mark.parametrize(
    "forest",
    [
        RandomForestClassifier(4, random_state=3),
        RandomForestClassifier(3, random_state=3, max_features=0.7, min_samples_leaf=0.01),
        ExtraTreesClassifier(4, random_state=3, bootstrap=True),
    ],
    ids=["forest", "shares of columns and rows", "extra-trees"],
)
def test_order_does_not_matter_and_what_is_written_back_is_whole(forest, tmp_path):
    case = core.prepare(make_case(forest))
    column, scale = core.unlearn(case, NURSES), core.unlearn(case, OTHERS[:20])
    assert column.method == scale.method == "forest"
    assert column.guarantee.value == "exact"
    assert column.notes == (
        "The preprocessing, fitted again, gives the trees other values and 1 column fewer; each was built again from its recorded randomness.",
    )
    one = core.unlearn(column.case, OTHERS[:20]).case
    assert_same_trees(one, core.unlearn(scale.case, NURSES).case)
    assert_same_trees(one, core.unlearn(case, [*NURSES, *OTHERS[:20]]).case)
    column.case.save(tmp_path / "case")
    loaded = core.load_case(tmp_path / "case")
    assert core.check_provenance(loaded).status == "verified"
    assert_same_trees(one, core.unlearn(loaded, OTHERS[:20], method="forest").case)
    last, again = one.model[-1], refitted(one)[-1]
    for ours, theirs in zip([last, *last.estimators_], [again, *again.estimators_], strict=True):
        assert ours.n_features_in_ == theirs.n_features_in_ == 8
    assert [tree.max_features_ for tree in last.estimators_] == [tree.max_features_ for tree in again.estimators_]
    assert last.feature_importances_.shape == (8,)
    assert case.model[-1].n_features_in_ == case.model[-1].estimators_[0].tree_.n_features == 9


def test_later_removals_go_on_in_place():
    case = core.unlearn(make_case(RandomForestClassifier(3, random_state=0), scaled=FunctionTransformer), NURSES).case
    result = core.unlearn(case, OTHERS[:25], method="forest")
    assert result.notes == ()
    assert_same_trees(
        result.case, result.case.replace(result.case.model, result.case.retained, {"forest": scratch(result.case)})
    )


def scratch(case):
    return state_of(case).from_scratch(case.retained).for_case(case, case.model)


def test_conforms():
    report = check_unlearner(Forest(), make_case(RandomForestClassifier(3, random_state=1)))
    assert report["passed"].all(), report


def test_a_forest_that_does_not_fit_beside_the_one_there_is_is_trained_again(monkeypatch):
    case = core.prepare(make_case(RandomForestClassifier(2, random_state=0)))
    monkeypatch.setenv("REDRESS_MAX_MEMORY_MB", "0.1")
    result = core.unlearn(case, NURSES)
    assert result.method == "refit"
    assert any("Building again 2 trees of" in note for note in result.notes)


def test_columns_keep_their_names_in_the_model():
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(sparse_output=False, **ANY), ["job"]), remainder="passthrough"),
        RandomForestClassifier(2, random_state=0),
    ).set_output(transform="pandas")
    case = core.Case(model.fit(TRAIN[["job", "debt"]], TRAIN["granted"]), TRAIN, TEST, ROLES)
    after = core.unlearn(case, NURSES, method="forest").case.model
    assert after[-1].feature_names_in_.tolist() == after[:-1].get_feature_names_out().tolist()
    assert len(after[-1].feature_names_in_) == len(case.model[-1].feature_names_in_) - 1 == 4


def test_columns_that_were_not_there_train_again_with_the_reason():
    rare = OneHotEncoder(min_frequency=len(NURSES), handle_unknown="infrequent_if_exist")
    result = core.unlearn(make_case(RandomForestClassifier(2, random_state=0), words=rare), NURSES[:1])
    assert result.method == "refit"
    assert any("'onehotencoder__job_infrequent_sklearn' that it did not give" in note for note in result.notes)


def test_columns_without_names_keep_their_places_or_train_again():
    case = make_case(RandomForestClassifier(2, random_state=0), scaled=lambda: FunctionTransformer(np.abs))
    assert core.unlearn(case, OTHERS[:3]).method == "forest"
    result = core.unlearn(case, NURSES)
    assert result.method == "refit"
    assert any("does not name them" in note for note in result.notes)


@pytest.mark.parametrize(
    ("drawn", "again"),
    [
        (lambda: GaussianRandomProjection(2), True),
        (lambda: GaussianRandomProjection(2, random_state=0), False),
        (lambda: QuantileTransformer(n_quantiles=20), False),
    ],
    ids=["no seed", "a seed", "no seed but nothing drawn"],
)
def test_preprocessing_that_draws_without_a_seed_trains_again(drawn, again):
    case = make_case(RandomForestClassifier(2, random_state=0), scaled=drawn)
    groups = [np.arange(start, start + 9) for start in (0, 9)]
    measured = core.measured_changes(case, ids_of(case, groups), metric="demographic_parity_difference")
    assert measured.trained_again.tolist() == [again, again]
    result = core.unlearn(case, OTHERS[:3])
    assert result.method == ("refit" if again else "forest")
    assert any("draws at random without a seed" in note for note in result.notes) == again


def test_a_category_that_test_rows_alone_have_is_named_where_the_encoder_refuses_it():
    case = make_case(RandomForestClassifier(2, random_state=0), words=OneHotEncoder())
    with pytest.raises(InputError, match=r"must be able to score every row. Its preprocessing says: .*\['nurse'\]"):
        core.unlearn(case, NURSES, method="forest")


@pytest.mark.parametrize("wanted", [None, "sqrt", "log2", 3, 0.4, 0.01])
@pytest.mark.parametrize("n_features", [1, 2, 4, 9, 10])
def test_as_many_features_are_drawn_as_scikit_learn_draws(wanted, n_features):
    X = np.random.default_rng(0).normal(size=(6, n_features))
    tree = DecisionTreeClassifier(max_features=wanted).fit(X, [0, 1] * 3)
    assert features_drawn(wanted, n_features) == tree.max_features_


def test_an_order_of_features_without_some_is_a_random_order_of_the_others():
    draw, columns, found = np.random.default_rng(0), np.array([4, 0, 3]), []
    for seed in range(1500):
        drawn = draw.permutation(5)[: draw.integers(1, 4)].astype(np.int32)
        first = np.array([0, len(drawn)], dtype=np.int32)
        leaf = np.full(1, -1, dtype=np.int32)
        draws = draws_among(columns, 5, Draws(np.uint64(seed), leaf, leaf, first, drawn, np.arange(len(drawn))))
        assert len(draws.fractions) == len(draws.features) == draws.first[-1]
        assert columns[draws.features].tolist() == [f for f in drawn if f in columns]
        order, where = np.empty((2, 3), dtype=np.int32)
        for at in range(begin(draws, 0, order, where), 3):
            put_next(order, at, np.uint64(hashed(draws.seed, 1)))
        found.append(tuple(order.tolist()))
    counts = [found.count(order) for order in permutations(range(3))]
    assert sum(counts) == 1500
    assert stats.chisquare(counts).pvalue > 0.001


def test_it_is_distributed_as_training_again():
    draw, n, trees = np.random.default_rng(5), 60, 250
    y = draw.integers(0, 2, n)
    place = np.where(draw.random(n) < 0.8, np.where(y == 1, "north", "south"), draw.choice(["east", "west"], n))
    numbers = {f"x{f}": y + draw.normal(scale=2.0 + f, size=n) for f in range(4)}
    table, names = pd.DataFrame({**numbers, "place": place, "y": y, "sex": place == "east"}), [*numbers, "place"]
    stays, arms = table[place != "north"], []
    for rows, seed in ((table, 0), (stays, 1)):
        columns = make_column_transformer((OneHotEncoder(**ANY), ["place"]), (StandardScaler(), list(numbers)))
        last = RandomForestClassifier(trees, max_depth=2, max_features=3, bootstrap=False, random_state=seed)
        arms.append(make_pipeline(columns, last).fit(rows[names], rows["y"]))
    case = core.Case(arms[0], table, table, core.Roles("y", 1, 1, ["sex"]), confirm=False)
    after = core.unlearn(case, np.flatnonzero(place == "north"), method="forest").case.model
    features = [
        [np.array([tree.tree_.feature[node] for tree in one[-1].estimators_]) for node in (0, 1)]
        for one in (after, arms[1])
    ]
    assert min(p_of_counts(ours, theirs) for ours, theirs in zip(*features, strict=True)) > 0.005


def test_columns_are_coded_as_if_the_others_had_never_been():
    draw = np.random.default_rng(0)
    X = draw.normal(size=(300, 6)).astype(np.float32)
    X[:, 1], X[:, 2] = X[:, 1].round(1), X[:, 2] > 0
    X[draw.random(300) < 0.2, 3] = np.nan
    X[:, 4] = X[:, 4].round(1) + 5e-8 * draw.integers(0, 4, 300)
    columns, changed, known = np.array([0, 2, 3, 4, 5]), np.array([0, 2, 4]), draw.random(300) < 0.8
    Y = X[:, columns]
    Y[:, 0], Y[:, 2], Y[:, 4] = 3 * Y[:, 0], -Y[:, 2], np.where(draw.random(300) < 0.1, np.nan, Y[:, 4])
    whole = recoded(code_table(X, 2), columns, changed, Y[:, changed], np.ones(300, dtype=bool))
    again = code_table(Y, 2)
    for name in set(again._fields) - {"order", "chained"}:
        np.testing.assert_array_equal(getattr(whole, name), getattr(again, name))
    part, again = recoded(code_table(X, 2), columns, changed, Y[known][:, changed], known), code_table(Y[known], 2)
    for column in (0, 2, 4, 6):
        codes = part.codes[column, known]
        np.testing.assert_array_equal(codes, again.codes[column])
        order = part.order[column]
        assert (np.diff(part.codes[column, order].astype(int)) >= 0).all()
        edges = part.edges[column, : part.n_bins[column] + 1]
        np.testing.assert_array_equal(
            part.starts[column, : len(edges)], np.searchsorted(part.codes[column, order], edges)
        )
