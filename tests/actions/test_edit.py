"""Edited labels and weights against training the whole pipeline again on the edited table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

import core
from core.errors import InputError, InputTypeError, NotSupportedError
from core.families.forest.points import state_of
from core.families.forest.tree import first_difference
from core.unlearning.linear.objective import coefficients
from tests.conftest import make_pipeline_for, make_table

ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")
TIGHT = {"solver": "newton-cholesky", "tol": 1e-13, "max_iter": 500}
FLIP = {f"p{number}": 0 for number in range(5, 45)}
WEIGH = {f"p{number}": weight for number, weight in zip(range(30, 60), np.linspace(0.25, 3.0, 30), strict=True)}


def make_case(**options: object) -> core.Case:
    train, test = make_table(600, 3), make_table(300, 4)
    return core.Case(make_pipeline_for(train, **TIGHT, **options), train=train, test=test, roles=ROLES)


def trained_again(
    case: core.Case, relabel: dict[str, int], reweight: dict[str, float], forget: list[str]
) -> np.ndarray:
    """Return the coefficients that scikit-learn gives on the table with the edits written into it."""
    table = case.train.set_index("person", drop=False).copy()
    for one, label in relabel.items():
        table.loc[one, "granted"] = label
    weight = table["granted"] * 0.0 + 1.0
    for one, value in reweight.items():
        weight.loc[one] = value
    kept = ~table.index.isin(forget)
    again = clone(case.model)
    again.fit(
        table.loc[kept, list(case.features)],
        table.loc[kept, "granted"],
        logisticregression__sample_weight=weight[kept].to_numpy(),
    )
    return coefficients(again)


@pytest.mark.parametrize("options", [{}, {"class_weight": "balanced"}, {"class_weight": {0: 1.0, 1: 2.0}}])
@pytest.mark.parametrize(("relabel", "reweight"), [(FLIP, {}), ({}, WEIGH), (FLIP, WEIGH)])
def test_edit_equals_training_on_the_edited_table(relabel: dict, reweight: dict, options: dict) -> None:
    case = make_case(**options)
    result = core.edit(case, relabel, reweight=reweight)
    assert result.method == "newton"
    assert result.n_forgotten == 0
    distance = np.linalg.norm(coefficients(result.case.model) - trained_again(case, relabel, reweight, []))
    assert distance <= result.bound + 1e-9
    assert result.relative_bound <= 1e-6
    untouched = np.linalg.norm(coefficients(case.model) - trained_again(case, relabel, reweight, []))
    assert distance < 1e-3 * untouched


def test_edits_and_removals_come_in_any_order() -> None:
    case = make_case()
    forget = ["p0", "p10", "p50"]
    keep = {one: label for one, label in FLIP.items() if one not in forget}
    weigh = {one: weight for one, weight in WEIGH.items() if one not in forget}
    edited_first = core.unlearn(core.edit(case, FLIP, reweight=WEIGH).case, forget).case
    removed_first = core.edit(core.unlearn(case, forget).case, keep, reweight=weigh).case
    refitted = core.edit(core.unlearn(case, forget, method="refit").case, keep, reweight=weigh, method="refit").case
    truth = trained_again(case, FLIP, WEIGH, forget)
    for one in (edited_first, removed_first, refitted):
        assert np.linalg.norm(coefficients(one.model) - truth) < 1e-5 * np.linalg.norm(truth)


def test_editing_back_gives_the_case_back() -> None:
    case = make_case()
    edited = core.edit(case, FLIP, reweight=WEIGH).case
    assert edited.edits.edited.sum() == len(WEIGH) + sum(
        int(label != 0) for label in case.train.set_index("person").loc[sorted(set(FLIP) - set(WEIGH)), "granted"]
    )
    old = dict(zip(case.record_ids, case.train_labels.tolist(), strict=True))
    back = core.edit(edited, {one: old[one] for one in FLIP}, reweight=dict.fromkeys(WEIGH, 1.0)).case
    assert back.edits is None
    np.testing.assert_allclose(coefficients(back.model), coefficients(case.model), rtol=1e-5)
    assert edited.key not in (case.key, back.key)


def test_the_case_handed_in_stays_as_it_was() -> None:
    case = core.prepare(make_case())
    labels, scores, key = case.train_labels.copy(), case.scores("explore").copy(), case.key
    core.edit(case, FLIP, reweight=WEIGH)
    assert (case.train_labels == labels).all()
    assert (case.scores("explore") == scores).all()
    assert case.key == key
    assert case.train_weight is None


def test_influence_after_an_edit_sees_the_new_labels() -> None:
    case = core.edit(make_case(), FLIP, reweight=WEIGH).case
    effects = core.influence(case, "log_loss")
    ids = list(FLIP)[::2]
    before = core.audit(case, ["log_loss"], on="explore").overall["log_loss"]
    true = [
        core.audit(core.unlearn(case, [one]).case, ["log_loss"], on="explore").overall["log_loss"] - before
        for one in ids
    ]
    assert np.corrcoef(effects[ids], true)[0, 1] > 0.995
    assert np.abs(effects[ids] - true).max() < 0.1 * np.abs(true).max()


def test_a_saved_case_keeps_its_edits(tmp_path) -> None:
    case = core.edit(make_case(), FLIP, reweight=WEIGH).case
    back = core.load_case(case.save(tmp_path / "case"))
    assert (back.train_labels == case.train_labels).all()
    assert (back.train_weight == case.train_weight).all()
    assert (back.edits.edited == case.edits.edited).all()
    assert core.check_provenance(back).status == "verified"
    refit, newton = (core.unlearn(back, ["p100"], method=method).case.model for method in ("refit", "newton"))
    np.testing.assert_allclose(coefficients(newton), coefficients(refit), rtol=1e-5, atol=1e-7)


def test_any_classifier_is_edited_by_refitting() -> None:
    train, test = make_table(200, 5), make_table(100, 6)
    columns = ["age", "debt"]
    for model, reweight in (
        (KNeighborsClassifier(), {}),
        (DecisionTreeClassifier(max_leaf_nodes=9, random_state=0), {"p1": 2.5}),
    ):
        case = core.Case(model.fit(train[columns], train["granted"]), train=train, test=test, roles=ROLES)
        result = core.edit(case, {"p0": 1, "p2": 1}, reweight=reweight)
        assert result.method == "refit"
        labels = train["granted"].copy()
        labels[[0, 2]] = 1
        weight = np.where(np.arange(len(train)) == 1, 2.5, 1.0)
        options = {"sample_weight": weight} if reweight else {}
        again = clone(model).fit(train[columns], labels, **options)
        rows = case.rows("explore")
        np.testing.assert_array_equal(
            result.case.scores("explore"), again.predict_proba(test[columns].iloc[rows])[:, 1]
        )


@pytest.mark.parametrize(
    ("relabel", "reweight", "error", "words"),
    [
        ({"p0": 7}, {}, InputError, "must be a class of the model. Got 7"),
        ({"nobody": 1}, {}, InputError, "Unknown: 'nobody'"),
        ({}, {"p0": 0.0}, InputError, "above 0. Got 0.0; to take records out, remove them"),
        ({}, {"p0": float("nan")}, InputError, "finite and above 0"),
        ({}, {"p0": "much"}, InputTypeError, "must be numbers"),
        (["p0"], {}, InputTypeError, "must map record ids to a label each"),
        (pd.Series({"p0": 1}), {}, InputTypeError, "must map record ids to a label each"),
    ],
)
def test_bad_edits_are_named(relabel: object, reweight: object, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        core.edit(make_case(), relabel, reweight=reweight)


def test_a_class_must_keep_a_record() -> None:
    case = make_case()
    everyone = dict.fromkeys(case.record_ids[case.y_train], 0)
    with pytest.raises(InputError, match="At least one record of every class must stay"):
        core.edit(case, everyone)


def test_nothing_to_edit_changes_nothing_and_a_method_that_only_removes_says_so() -> None:
    case = make_case()
    own = dict(zip(case.record_ids[:3], case.train_labels[:3].tolist(), strict=True))
    result = core.edit(case, own, reweight=dict.fromkeys(case.record_ids[:3], 1.0))
    assert result.n_edited == 0
    assert result.case.edits is None
    with pytest.raises(NotSupportedError, match="'forest' does not fit this case"):
        core.edit(case, {"p0": 1 - own["p0"]}, method="forest")


FORESTS = {
    "forest": RandomForestClassifier(6, random_state=0),
    "shallow": RandomForestClassifier(6, max_depth=4, criterion="entropy", random_state=1),
    "whole": RandomForestClassifier(3, bootstrap=False, random_state=2),
    "drawn": ExtraTreesClassifier(5, random_state=3),
    "tree": DecisionTreeClassifier(random_state=4),
}


def make_forest_case(kind: str) -> core.Case:
    train, test = make_table(700, 8), make_table(200, 9)
    columns = ["age", "debt", "income"]
    model = clone(FORESTS[kind]).fit(train[columns], train["granted"])
    return core.prepare(core.Case(model, train=train, test=test, roles=ROLES))


def trees_apart(case: core.Case) -> list[int]:
    scratch = state_of(case).from_scratch(case.retained)
    pairs = zip(state_of(case).trees, scratch.trees, strict=True)
    return [first_difference(one.grown, other.grown) for one, other in pairs]


@pytest.mark.parametrize("kind", FORESTS)
def test_relabelled_trees_equal_building_from_scratch(kind: str) -> None:
    case = make_forest_case(kind)
    draw = np.random.default_rng(0)
    for size in (1, 1, 5, 20):
        ids = draw.choice(case.retained_ids, size, replace=False)
        flips = {one: 1 - int(label) for one, label in zip(ids, case.train_labels[case.positions(ids)], strict=True)}
        result = core.edit(case, flips)
        assert (result.method, result.guarantee.value) == ("forest", "exact")
        case = core.unlearn(result.case, draw.choice(result.case.retained_ids, 3, replace=False)).case
        assert max(trees_apart(case)) == -1
    rows = case.rows("explore")
    np.testing.assert_array_equal(
        case.scores("explore"), case.model.predict_proba(case.test[list(case.features)].iloc[rows])[:, 1]
    )


def test_relabelling_back_gives_the_forest_back() -> None:
    case = make_forest_case("forest")
    ids = case.record_ids[10:60]
    old = dict(zip(ids, case.train_labels[10:60].tolist(), strict=True))
    edited = core.edit(case, {one: 1 - label for one, label in old.items()}).case
    assert (edited.scores("explore") != case.scores("explore")).any()
    back = core.edit(edited, old).case
    np.testing.assert_array_equal(back.scores("explore"), case.scores("explore"))


@pytest.mark.parametrize("kind", ["tree", "whole"])
def test_edited_trees_of_one_feature_equal_scikit_learn(kind: str) -> None:
    train, test = make_table(500, 10), make_table(100, 11)
    columns = ["debt"]
    model = clone(FORESTS[kind]).set_params(max_features=None, max_depth=7).fit(train[columns], train["granted"])
    case = core.Case(model, train=train, test=test, roles=ROLES)
    flips = {f"p{number}": 1 - int(train["granted"][number]) for number in range(30)}
    weights = {f"p{number}": 3.0 for number in range(20, 50)}
    result = core.edit(case, flips, reweight=weights)
    assert result.method == "forest"
    labels, weight = train["granted"].copy(), np.ones(len(train))
    labels[:30] = 1 - labels[:30]
    weight[20:50] = 3.0
    again = clone(model).fit(train[columns], labels, sample_weight=weight)
    rows = case.rows("explore")
    expected = again.predict_proba(test[columns].iloc[rows])[:, 1]
    np.testing.assert_allclose(result.case.scores("explore"), expected, atol=1e-12)


def test_weights_that_trees_cannot_take_go_to_refit_with_the_reason() -> None:
    case = make_forest_case("forest")
    result = core.edit(case, reweight={"p0": 2.0})
    assert result.method == "refit"
    assert "chances of the bootstrap's draw" in " ".join(result.notes)
    with pytest.raises(NotSupportedError, match="not whole numbers"):
        core.edit(make_forest_case("tree"), reweight={"p0": 0.5}, method="forest")


def test_an_edited_forest_goes_on_after_saving(tmp_path) -> None:
    edited = core.edit(make_forest_case("forest"), FLIP).case
    back = core.load_case(edited.save(tmp_path / "case"))
    for case in (edited, back):
        case = core.unlearn(case, ["p0", "p6"], method="forest").case
        assert max(trees_apart(case)) == -1
    np.testing.assert_array_equal(
        core.unlearn(edited, ["p0"], method="forest").case.scores("explore"),
        core.unlearn(back, ["p0"], method="forest").case.scores("explore"),
    )


def test_records_without_weight_come_into_trees_with_one() -> None:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(200, 3))
    weight = np.where(np.arange(200) == 7, 0.0, 1.0)
    table = pd.DataFrame(X, columns=list("abc")).assign(label=(X[:, 0] > 0.0).astype(int), group=np.arange(200) % 2)
    table = table.assign(weight=weight)
    model = ExtraTreesClassifier(3, random_state=0).fit(table[list("abc")], table["label"], sample_weight=weight)
    roles = core.Roles("label", 1, 1, ["group"], features=list("abc"), sample_weight="weight")
    case = core.prepare(core.Case(model, table, table[:50], roles), method="forest")
    for given, rows, held in (({7: 5.0}, 200, 204.0), ({7: 2.0, 9: 3.0}, 200, 203.0)):
        result = core.edit(case, reweight=given, method="forest").case
        scratch = state_of(result).from_scratch(result.retained)
        for tree, other in zip(state_of(result).trees, scratch.trees, strict=True):
            assert first_difference(tree.grown, other.grown) == -1
            fitted = tree.estimator.tree_
            assert (fitted.n_node_samples[0], fitted.weighted_n_node_samples[0]) == (rows, held)
