"""Forests that the training table does not give, or that cannot forget what is asked: one sentence each."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

import core
from core.actions.influence import why_no_attribution
from core.errors import InputError, NotSupportedError
from core.families.forest.parts import why_not
from core.families.forest.points import state_of
from core.families.forest.unlearner import Forest
from tests.families.forest.test_unlearner import NUMBERS, ROLES, TEST, TRAIN, assert_equals_from_scratch

X, Y = TRAIN[NUMBERS], TRAIN["granted"]
KINDS = [RandomForestClassifier, ExtraTreesClassifier]


def adopt(model, train=TRAIN, roles=ROLES):
    return core.prepare(core.Case(model, train=train, test=TEST, roles=roles), method="forest")


@pytest.mark.parametrize("kind", KINDS)
def test_fitted_on_other_rows(kind):
    model = kind(3, random_state=0).fit(X.iloc[:300], Y.iloc[:300])
    with pytest.raises(NotSupportedError, match=f"fitted on 300 rows, the training table has {len(TRAIN)}"):
        adopt(model)
    with pytest.raises(NotSupportedError, match="tree 0 differs first at node"):
        adopt(kind(3, random_state=0).fit(X.iloc[:300], Y.iloc[:300]), TRAIN.iloc[100:400].reset_index(drop=True))
    with pytest.raises(NotSupportedError, match="tree 0 differs first at node"):
        adopt(DecisionTreeClassifier(random_state=0).fit(X.iloc[:300], Y.iloc[:300]))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_in_another_order(kind):
    shuffled = TRAIN.sample(frac=1, random_state=0).reset_index(drop=True)
    with pytest.raises(NotSupportedError, match="tree 0 differs first"):
        adopt(kind(3, random_state=0, bootstrap=True).fit(X, Y), shuffled)
    # Without a bootstrap a tree does not depend on the order of its rows.
    case = adopt(kind(3, random_state=0, bootstrap=False).fit(X, Y), shuffled)
    assert_equals_from_scratch(core.unlearn(case, case.retained_ids[:5], method="forest").case)


def test_what_the_rows_said_is_known_from_then_on():
    case = core.Case(RandomForestClassifier(3, random_state=0).fit(X, 1 - Y), train=TRAIN, test=TEST, roles=ROLES)
    assert [one.name for one in core.unlearners_for(case) if one.fits] == ["forest", "refit"]
    assert core.prepare(case) is case
    for same in (case, case.with_threshold(0.4)):
        options = {one.name: one for one in core.unlearners_for(same)}
        assert options["forest"].reason.startswith("these rows do not give the fitted trees: tree 0 differs first")
        assert [name for name, one in options.items() if one.fits] == ["refit"]
    assert why_no_attribution(case).startswith("No attribution method fits this model: these rows do not give")
    fresh = core.Case(case.model, train=TRAIN, test=TEST, roles=ROLES)
    for one in (case, fresh):
        removed = core.unlearn(one, one.retained_ids[:5])
        assert removed.method == "refit"
        assert len([note for note in removed.notes if "tree 0 differs" in note]) == 1
    assert "forest" in core.prepare(removed.case).prepared


@pytest.mark.parametrize("kind", KINDS)
def test_warm_started(kind):
    model = kind(2, random_state=0, warm_start=True).fit(X, Y)
    case = adopt(model.set_params(n_estimators=4).fit(X, Y))
    assert_equals_from_scratch(core.unlearn(case, case.retained_ids[:5], method="forest").case)
    model = kind(2, random_state=0, warm_start=True).fit(X.iloc[:300], Y.iloc[:300])
    with pytest.raises(NotSupportedError, match="tree 0 differs first"):
        adopt(model.set_params(n_estimators=4).fit(X, Y))
    model = kind(2, random_state=0, warm_start=True, max_depth=3).fit(X, Y)
    with pytest.raises(NotSupportedError, match="tree 0 differs first"):
        adopt(model.set_params(n_estimators=4, max_depth=None).fit(X, Y))


def last_split(tree):
    return int(np.flatnonzero(tree.feature >= 0)[-1])


def swap_children(tree, node):
    left, right = tree.children_left, tree.children_right
    left[node], right[node] = int(right[node]), int(left[node])


EDITS = {
    "threshold": lambda tree, node: tree.threshold.__setitem__(node, np.nextafter(tree.threshold[node], np.inf)),
    "value": lambda tree, node: tree.value.__setitem__(node, tree.value[node][:, ::-1].copy() + 0.25),
    "feature": lambda tree, node: tree.feature.__setitem__(node, (tree.feature[node] + 1) % len(NUMBERS)),
    "unknown feature": lambda tree, node: tree.feature.__setitem__(node, 99),
    "children": swap_children,
    "impurity": lambda tree, node: tree.impurity.__setitem__(node, 0.123),
    "count": lambda tree, node: tree.n_node_samples.__setitem__(node, 1),
    "leaf": lambda tree, node: tree.children_left.__setitem__(node, -1),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("kind", KINDS)
def test_edited_by_hand(kind, edit):
    model = kind(3, random_state=0).fit(X, Y)
    case = core.Case(model, train=TRAIN, test=TEST, roles=ROLES)
    tree = model.estimators_[2].tree_
    EDITS[edit](tree, last_split(tree))
    with pytest.raises(NotSupportedError, match=r"these rows do not give the fitted trees: tree 2 differs first"):
        Forest().prepare(case)  # `core.prepare` sees that the model was changed in place, and says that


def test_trees_taken_out_or_put_in_twice():
    for spoil, reason in (
        (lambda trees: trees[:3], "holds 3 trees and its n_estimators says 4"),
        (lambda trees: trees * 2, "holds 8 trees and its n_estimators says 4"),
        (lambda trees: [*trees[:3], trees[0]], "holds a tree twice"),
        (lambda trees: [*trees[:3], copy.deepcopy(trees[0])], "holds a tree twice"),
    ):
        model = RandomForestClassifier(4, random_state=0).fit(X, Y)
        model.estimators_ = spoil(model.estimators_)
        with pytest.raises(NotSupportedError, match=reason):
            adopt(model)


def test_parameters_changed_after_fitting():
    with pytest.raises(NotSupportedError, match="tree 0 differs first"):
        adopt(RandomForestClassifier(3, random_state=0).fit(X, Y).set_params(min_samples_leaf=4))


def test_features_in_another_order():
    model = RandomForestClassifier(3, random_state=0).fit(X[NUMBERS[::-1]].to_numpy(), Y)
    assert "forest" in adopt(model, roles=ROLES.with_(features=NUMBERS[::-1])).prepared
    with pytest.raises(NotSupportedError, match="tree 0 differs first"):
        adopt(model, roles=ROLES.with_(features=NUMBERS))


def test_values_that_rounding_moves_over_a_threshold():
    low, high = np.float32(0.1), np.nextafter(np.float32(0.1), np.float32(1))
    middle = float(low) / 2 + float(high) / 2
    # In double precision these lie on the left of the middle, in single precision on its right, and the other way round.
    near, far = np.nextafter(middle, 1), np.nextafter(middle, 0)
    assert np.float32(near) == high
    assert np.float32(far) == low
    table = TRAIN.assign(debt=np.resize([float(low) - 1, float(low), far, near, float(high) + 1], len(TRAIN)))
    for model in (DecisionTreeClassifier(random_state=0), ExtraTreesClassifier(3, random_state=0)):
        case = adopt(clone(model).fit(table[NUMBERS], Y), table)
        assert_equals_from_scratch(core.unlearn(case, case.retained_ids[:40], method="forest").case)
    tree = DecisionTreeClassifier(random_state=0).fit(table[["debt"]], Y)
    result = core.unlearn(adopt(tree, table), TRAIN["person"][:40], method="forest")
    again = clone(tree).fit(table[["debt"]].iloc[40:], Y.iloc[40:])
    assert np.array_equal(result.case.model.tree_.threshold, again.tree_.threshold)
    assert np.array_equal(result.case.model.tree_.n_node_samples, again.tree_.n_node_samples)


def three_classes(rare):
    label = Y.to_numpy().copy()
    label[:rare] = 2
    return TRAIN.assign(granted=label)


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_leaves_a_tree_and_all_trees(kind):
    train = three_classes(2)
    model = kind(4, random_state=1, bootstrap=True).fit(train[NUMBERS], train["granted"])
    case = core.prepare(core.Case(model, train=train, test=TEST, roles=ROLES), method="forest")
    known = np.array([[row in tree.samples for row in (0, 1)] for tree in state_of(case).trees])
    only = 0 if (known[:, 0] & ~known[:, 1]).any() else 1
    assert (known[:, only] & ~known[:, 1 - only]).any()
    after = core.unlearn(case, [train["person"][only]], method="forest").case
    assert_equals_from_scratch(after)
    assert after.model.predict_proba(TEST[NUMBERS]).shape == (len(TEST), 3)
    with pytest.raises(InputError, match="class"):
        core.unlearn(after, [train["person"][1 - only]], method="forest")


def test_several_outputs():
    both = np.column_stack([Y, TRAIN["sex"] == "f"])
    for model in (DecisionTreeClassifier(), *(kind(2) for kind in KINDS)):
        assert "one output" in why_not(model.fit(X, both))


def test_weights_too_large_to_be_summed():
    # The columns take few values, so that one bin of a histogram would hold more weight than 32 bits do.
    train = TRAIN.assign(weight=8_000_000.0, debt=TRAIN[NUMBERS[0]] > TRAIN[NUMBERS[0]].median())
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(train[["debt"]], Y, sample_weight=train["weight"])
    roles = ROLES.with_(sample_weight="weight", features=("debt",))
    test = TEST.assign(weight=1.0, debt=TEST[NUMBERS[0]] > 0)
    with pytest.raises(NotSupportedError, match=r"weights are up to 8,000,000 and .* divided by a common factor"):
        core.prepare(core.Case(model, train=train, test=test, roles=roles), method="forest")
    train["weight"] = 1.0
    model.fit(train[["debt"]], Y, sample_weight=train["weight"])
    case = core.Case(model, train=train, test=test, roles=roles)
    with pytest.raises(NotSupportedError, match="divided by a common factor"):
        core.edit(case, reweight={case.retained_ids[0]: 9_000_000.0}, method="forest")
