"""Trees and forests tell the rows they were trained on from others, node by node."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.utils import compute_sample_weight

import core
from tests.conftest import make_table

TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((900, 41), (200, 42)))
FEATURES = ["age", "income", "debt"]
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")
WEIGHT = 1.0 + np.arange(len(TRAIN)) % 3


def case_on(model, train, roles=ROLES):
    return core.Case(model, train=train, test=TEST, roles=roles)


def over_debt(frame):
    return frame.assign(share=frame["income"] / frame["debt"])


def fitted(model, train=TRAIN, **options):
    return model.fit(train[FEATURES], train["granted"], **options)


MODELS = {
    "forest": RandomForestClassifier(8, random_state=0),
    "no bootstrap": RandomForestClassifier(4, random_state=0, bootstrap=False),
    "half the rows": RandomForestClassifier(20, random_state=0, max_samples=0.5),
    "balanced": RandomForestClassifier(4, random_state=0, class_weight="balanced"),
    "balanced, no bootstrap": RandomForestClassifier(4, random_state=0, class_weight="balanced", bootstrap=False),
    "balanced subsamples": RandomForestClassifier(4, random_state=0, class_weight="balanced_subsample"),
    "class weights": RandomForestClassifier(4, random_state=0, class_weight={0: 1, 1: 2.5}),
    "shares": RandomForestClassifier(4, random_state=0, min_samples_leaf=0.01, min_impurity_decrease=1e-4),
    "best first": RandomForestClassifier(4, random_state=0, max_leaf_nodes=30),
    "pruned": DecisionTreeClassifier(random_state=0, ccp_alpha=0.002),
    "tree without a seed": DecisionTreeClassifier(),
    "balanced tree": DecisionTreeClassifier(random_state=0, class_weight="balanced"),
    "random tree": ExtraTreeClassifier(random_state=0),
    "extra trees": ExtraTreesClassifier(5, random_state=0),
    "extra trees with a bootstrap": ExtraTreesClassifier(8, random_state=0, bootstrap=True),
}


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("name", MODELS)
def test_the_rows_it_was_trained_on_are_verified_and_one_turned_label_is_not(name, weighted):
    train, roles, options = TRAIN, ROLES, {}
    if weighted:
        train, roles, options = (
            TRAIN.assign(weight=WEIGHT),
            ROLES.with_(sample_weight="weight"),
            {"sample_weight": WEIGHT},
        )
    model = fitted(copy.deepcopy(MODELS[name]), **options)
    found = core.check_provenance(case_on(model, train, roles))
    assert (found.status, found.refit) == ("verified", False), found.evidence
    trees = getattr(model, "estimators_", [model])
    assert f"{sum(tree.tree_.node_count for tree in trees):,} nodes" in found.evidence
    assert (
        f"{len(trees)} of {len(trees)} trees match" if len(trees) > 1 else "the tree matches"
    ) in found.evidence.lower()
    turned = train.copy()
    turned.loc[5, "granted"] = 1 - turned.loc[5, "granted"]
    found = core.check_provenance(case_on(model, turned, roles))
    assert (found.status, found.refit) == ("mismatch", True)
    if weighted:
        assert core.check_provenance(case_on(model, train)).status == "mismatch"


def test_500_of_20_000_labels_turned_both_ways_are_caught():
    draw = np.random.default_rng(0)
    train = make_table(30_000, 1).dropna().reset_index(drop=True)[:20_000]
    model = fitted(RandomForestClassifier(3, random_state=0, max_depth=12), train)
    assert core.check_provenance(case_on(model, train)).status == "verified"
    turned = train.copy()
    for label in (0, 1):
        rows = draw.choice(np.flatnonzero(train["granted"] == label), 250, replace=False)
        turned.loc[rows, "granted"] = 1 - label
    found = core.check_provenance(case_on(model, turned))
    assert found.status == "mismatch"
    assert "0 of 3 trees match" in found.evidence
    assert "tree 0 differs first at node" in found.evidence


def test_the_first_tree_and_node_are_named_with_both_figures():
    model = fitted(RandomForestClassifier(3, random_state=0, bootstrap=False))
    turned = TRAIN.copy()
    turned.loc[0, "granted"] = 1 - turned.loc[0, "granted"]
    before, after = (float(np.mean(table["granted"] == 0)) for table in (TRAIN, turned))
    evidence = core.check_provenance(case_on(model, turned)).evidence
    size = model.estimators_[0].tree_.node_count
    assert "0 of 3 trees match" in evidence
    assert (
        f"tree 0 differs first at node 0 of {size:,}, which stores a share of {before:.6g} of class number 0 where these rows give {after:.6g}"
        in evidence
    )
    model.estimators_[1].tree_.n_node_samples[2] += 1
    evidence = core.check_provenance(case_on(model, TRAIN)).evidence
    stored = model.estimators_[1].tree_.n_node_samples[2]
    assert "2 of 3 trees match" in evidence
    assert f"tree 1 differs first at node 2 of {model.estimators_[1].tree_.node_count:,}" in evidence
    assert f"which stores {stored:,} rows where these give {stored - 1:,}; train it again" in evidence


def swapped(table):
    other = table.copy()
    apart = int(np.flatnonzero(table["granted"] != table.loc[3, "granted"])[0])
    other.loc[[3, apart]] = table.loc[[apart, 3]].to_numpy()
    return other.astype(table.dtypes)


OTHER_ROWS = {
    "two rows swapped": swapped,
    "one row replaced": lambda table: table.assign(**{name: table[name].where(table.index != 7, table[name].iloc[50]) for name in [*FEATURES, "granted"]}),
    "another order": lambda table: table.sample(frac=1, random_state=0).reset_index(drop=True),
    "one row less": lambda table: table.iloc[1:].reset_index(drop=True),
    "another table": lambda table: make_table(2000, 5).dropna().reset_index(drop=True)[: len(table)],
    "columns exchanged": lambda table: table.assign(income=table["debt"], debt=table["income"]),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_ROWS)
def test_other_rows_are_a_mismatch(name):
    model = fitted(RandomForestClassifier(6, random_state=0))
    found = core.check_provenance(case_on(model, OTHER_ROWS[name](TRAIN)))
    assert found.status == "mismatch"
    assert found.evidence.endswith("train it again on these rows, or find the rows it was trained on.")
    if name in ("another order", "another table"):
        assert (
            "0 of 6 trees match, so these are not the rows and labels it was trained on, or not in that order:"
            in found.evidence
        )
    if name == "one row less":
        assert f"fitted on {len(TRAIN):,} rows, and these are {len(TRAIN) - 1:,}" in found.evidence


def test_columns_of_a_model_without_names_in_another_order_are_thought_of():
    model = RandomForestClassifier(6, random_state=0).fit(TRAIN[FEATURES].to_numpy(), TRAIN["granted"])
    assert core.check_provenance(case_on(model, TRAIN, ROLES.with_(features=FEATURES))).status == "verified"
    found = core.check_provenance(case_on(model, TRAIN, ROLES.with_(features=FEATURES[::-1])))
    assert "or not in that order, or its columns came in another order: tree 0" in found.evidence


def test_rows_in_no_tree_are_counted():
    model = fitted(RandomForestClassifier(3, random_state=0, max_samples=0.2))
    unseen = len(TRAIN) - len(np.unique(np.concatenate(model.estimators_samples_)))
    assert f"{unseen} of {len(TRAIN)} rows are in no tree" in core.check_provenance(case_on(model, TRAIN)).evidence


def test_missing_values_and_pipelines():
    train = make_table(600, 3)
    gaps = fitted(RandomForestClassifier(4, random_state=0), train)
    assert core.check_provenance(case_on(gaps, train)).status == "verified"
    columns = make_column_transformer(
        (OneHotEncoder(), ["sex", "job"]), (SimpleImputer(), ["income"]), remainder="passthrough", sparse_threshold=1.0
    )
    raw = ["sex", "job", "income", "debt"]
    model = make_pipeline(columns, RandomForestClassifier(4, random_state=0)).fit(train[raw], train["granted"])
    assert hasattr(model[:-1].transform(train[raw]), "toarray")
    found = core.check_provenance(case_on(model, train))
    assert found.status == "verified"
    assert found.evidence.startswith("The preprocessing equals what these rows give; these rows are what")
    found = core.check_provenance(case_on(model, train.assign(income=train["income"] * 1.001)))
    assert (found.status, found.refit) == ("mismatch", True)
    assert "statistics_" in found.evidence


@pytest.mark.parametrize(
    ("classifier", "what"),
    [(DecisionTreeClassifier(random_state=0), "single precision"), (LogisticRegression(), "infinite values")],
)
def test_values_that_no_model_can_be_fitted_on_are_a_mismatch_that_training_again_does_not_mend(classifier, what):
    model = make_pipeline(FunctionTransformer(over_debt), classifier).fit(TRAIN[["income", "debt"]], TRAIN["granted"])
    spoiled = TRAIN.assign(debt=TRAIN["debt"].where(TRAIN.index > 3, 0.0))
    found = core.check_provenance(core.Case(model, spoiled, TEST, ROLES))
    assert (found.status, found.refit) == ("mismatch", False)
    assert what in found.evidence


def test_a_forest_that_forgot_is_verified_with_its_case_and_unverifiable_alone(tmp_path):
    case = case_on(fitted(RandomForestClassifier(5, random_state=0)), TRAIN)
    after = core.unlearn(case, case.record_ids[:30], method="forest").case
    assert core.check_provenance(after).status == "verified"
    core.save_model(after.model, tmp_path / "model.skops")
    kept = after.train[after.retained].reset_index(drop=True)
    found = core.check_provenance(case_on(core.load_model(tmp_path / "model.skops"), kept))
    assert (found.status, found.refit) == ("unverifiable", False)
    assert "bootstrap" in found.evidence


def test_monotonic_trees_are_checked_by_counts_and_left_open():
    model = fitted(RandomForestClassifier(3, random_state=0, monotonic_cst=[1, 0, 0]))
    found = core.check_provenance(case_on(model, TRAIN))
    assert found.status == "unverifiable"
    assert "flipped labels would go unnoticed" in found.evidence
    assert core.check_provenance(case_on(model, OTHER_ROWS["another order"](TRAIN))).status == "mismatch"


def test_forests_of_older_versions_multiply_drawn_rows_by_their_weights():
    train, roles = TRAIN.assign(weight=WEIGHT), ROLES.with_(sample_weight="weight")
    model = fitted(RandomForestClassifier(3, random_state=0, class_weight={0: 1, 1: 2}))
    drawn = fitted(RandomForestClassifier(3, random_state=0)).estimators_samples_
    weight = WEIGHT * compute_sample_weight({0: 1, 1: 2}, TRAIN["granted"])
    for tree, rows in zip(model.estimators_, drawn, strict=True):
        tree.fit(
            TRAIN[FEATURES].to_numpy(), TRAIN["granted"], sample_weight=weight * np.bincount(rows, minlength=len(TRAIN))
        )
    del model._sample_weight
    assert core.check_provenance(case_on(model, train, roles)).status == "verified"
    assert core.check_provenance(case_on(model, train)).status == "mismatch"
