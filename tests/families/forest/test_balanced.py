"""Forests with balanced class weights: each draw of a forgotten row falls on another row of its class, whoever went first."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from core.errors import InputError, NotSupportedError
from core.families.forest.parts import stream_of
from core.families.forest.points import state_of
from core.families.forest.rescaled import IN_PLACE
from core.families.forest.tree import first_difference
from core.families.forest.unlearner import Forest
from core.numerics.trees.bootstrap import OF_BOOTSTRAP
from core.numerics.trees.drawn import Lines
from core.verification import check_unlearner
from tests.conftest import forget_digests

COLUMNS = ["a", "b", "c", "d"]
ROLES = core.Roles("label", 1, 1, ["group"], features=COLUMNS)
WEIGHTED = ROLES.with_(sample_weight="weight")


def make_table(n, seed=0, share=0.2, classes=2):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(n, 4)).round(1)
    X[:, 3] = draw.integers(0, 3, n)
    score = X[:, 0] + 0.7 * X[:, 1] + draw.normal(size=n)
    label = np.digitize(score, np.quantile(score, 1 - share * np.arange(classes - 1, 0, -1)))
    weight = draw.choice([0.5, 1.0, 3.0], n)
    return pd.DataFrame(X, columns=COLUMNS).assign(label=label, group=np.arange(n) % 2, weight=weight)


def make_case(table, last=None, *, weighted=False, steps=(), **options):
    if last is None:
        last = RandomForestClassifier(6, random_state=3, class_weight="balanced", **options)
    model = make_pipeline(*steps, last) if steps else last
    name = f"{type(last).__name__.lower()}__sample_weight" if steps else "sample_weight"
    model.fit(table[COLUMNS], table["label"], **({name: table["weight"]} if weighted else {}))
    return core.Case(model, table, table[:40], WEIGHTED if weighted else ROLES, confirm=False)


def mixed(key, step):
    mask = 2**64 - 1
    z = (key + step * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
    return z ^ z >> 31


def unit(key, step):
    return (mixed(key, step) >> 11) * 2.0**-53


def falls_on(key, rows, n, weight, bound):
    """Return which of the `rows` a draw falls on, among `n` positions: the first of its sequence, else the first clock."""
    for step in range(1, math.isqrt(n) + 2):
        place = unit(key, step) * n
        position = min(int(place), n - 1)
        if position in rows and place - position < weight[position] / bound:
            return position
    return min(rows, key=lambda row: -math.log(1.0 - unit(mixed(key, 0), row + 1)) * bound / weight[row])


def expected_counts(forest, table, retained, weight=None):
    """Return how often every row counts in every tree, from the definition and what scikit-learn drew."""
    n, labels = len(table), table["label"].to_numpy()
    weight = np.ones(n) if weight is None else weight
    bound = 2.0 ** math.ceil(math.log2(weight.max()))
    of_class = {label: set(np.flatnonzero(retained & (labels == label)).tolist()) for label in set(labels)}
    counts = np.zeros((len(forest.estimators_), n), dtype=int)
    for own, tree, drawn in zip(counts, forest.estimators_, forest.estimators_samples_, strict=True):
        key = mixed(int(stream_of(tree).key) ^ OF_BOOTSTRAP, 0)
        for j, row in enumerate(drawn):
            own[row if retained[row] else falls_on(mixed(key, j), of_class[labels[row]], n, weight, bound)] += 1
    return counts


def counts_of(case):
    """Return the weight of every record in every tree; rows that were forgotten before the case was read back have none."""
    known = state_of(case).grove.local >= 0
    counts = np.zeros((len(state_of(case).trees), len(known)), dtype=int)
    counts[:, known] = [state_of(case).weights_of_trees(known)(index) for index in range(len(counts))]
    return counts


def assert_same_trees(one, other):
    for tree, again in zip(state_of(one).trees, state_of(other).trees, strict=True):
        assert first_difference(tree.grown, again.grown) == -1
        assert np.array_equal(tree.roots.labels, again.roots.labels)
        assert np.array_equal(tree.roots.drawn, again.roots.drawn)
        assert np.array_equal(np.sort(tree.samples), np.sort(again.samples))


def assert_equals_from_scratch(case):
    for tree, other in zip(state_of(case).trees, state_of(case).from_scratch(case.retained).trees, strict=True):
        assert first_difference(tree.grown, other.grown) == -1
        assert np.array_equal(tree.marks.origin, other.marks.origin)
        if isinstance(tree.memory, Lines):
            assert np.array_equal(tree.memory.first, other.memory.first)
            assert np.array_equal(tree.memory.lines, other.memory.lines)


SETTINGS = {
    "default": {},
    "depth": {"max_depth": 4},
    "leaf": {"min_samples_leaf": 5, "criterion": "entropy"},
    "every feature": {"max_features": None},
    "half the rows": {"max_samples": 0.5},
    "gain": {"min_impurity_decrease": 0.01},
    "share of the rows": {"min_samples_split": 0.03},
}


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_removal_equals_building_from_scratch_with_the_moved_draws(options):
    table = make_table(500)
    case = first = make_case(table, **options)
    forest, draw = case.model, np.random.default_rng(1)
    for count in (1, 1, 2, 5, 20, 60):
        before, case = case, core.unlearn(case, draw.choice(case.retained_ids, count, False), method="forest").case
        assert_equals_from_scratch(case)
        assert np.array_equal(counts_of(case), expected_counts(forest, table, case.retained))
        again = Forest().retrained(before, case.retained)
        assert np.array_equal(again.predict_proba(table[COLUMNS]), case.model.predict_proba(table[COLUMNS]))
    assert np.array_equal(counts_of(core.prepare(first)), expected_counts(forest, table, first.retained))


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
def test_rows_of_one_class_leave_the_draws_of_the_other_alone(kind, label, count):
    table = make_table(800, share=0.05)
    model = kind(6, random_state=3, class_weight="balanced", bootstrap=True)
    case = core.prepare(make_case(table, model), method="forest")
    before, gone = counts_of(case), np.flatnonzero(table["label"] == label)[:count]
    after = core.unlearn(case, gone, method="forest").case
    assert_equals_from_scratch(after)
    of_class = (table["label"] == label).to_numpy()
    assert np.array_equal(counts_of(after)[:, ~of_class], before[:, ~of_class])
    assert np.array_equal(counts_of(after).sum(axis=1), before.sum(axis=1))
    assert not counts_of(after)[:, gone].any()
    assert before[:, gone].any()


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(30, 90),
    classes=st.integers(2, 3),
    kind=st.sampled_from([RandomForestClassifier, ExtraTreesClassifier]),
    weighted=st.booleans(),
)
def test_order_does_not_matter_and_classes_keep_their_draws(seed, n, classes, kind, weighted):
    table, draw = make_table(n, seed, 0.25, classes), np.random.default_rng(seed)
    last = kind(3, random_state=seed, class_weight="balanced", bootstrap=True)
    case = core.prepare(make_case(table, last, weighted=weighted), method="forest")
    kept = table.groupby("label").sample(1, random_state=seed).index
    gone = draw.permutation(table.index.difference(kept))[: draw.integers(2, n - 3)]
    first, second = np.split(gone, [draw.integers(1, len(gone))])

    def without(some, *others):
        one = Forest().remove(case, some, 0.0).case
        for rest in others:
            one = Forest().remove(one, rest, 0.0).case
        return one

    together = without(gone)
    assert_equals_from_scratch(together)
    for other in (without(first, second), without(second, first)):
        assert_same_trees(together, other)
    labels, before, after = table["label"].to_numpy(), counts_of(case), counts_of(together)
    assert not after[:, gone].any()
    for label in range(classes):
        assert np.array_equal(before[:, labels == label].sum(axis=1), after[:, labels == label].sum(axis=1))
    weight = table["weight"].to_numpy() if weighted else None
    assert np.array_equal(after, expected_counts(last, table, together.retained, weight))


def test_one_row_left_of_a_class_takes_all_its_draws():
    table = make_table(300, share=0.1)
    case = core.prepare(make_case(table))
    rows = np.flatnonzero(table["label"] == 1)
    after = core.unlearn(case, rows[1:], method="forest").case
    assert_equals_from_scratch(after)
    assert np.array_equal(counts_of(after)[:, rows[0]], counts_of(case)[:, rows].sum(axis=1))
    with pytest.raises(InputError, match="every class must stay"):
        core.unlearn(after, rows[:1], method="forest")


def test_records_that_none_of_any_weight_would_be_left_of_go_to_refit_with_the_reason():
    table = make_table(200)
    weightless = table.index[table["label"] == 1][3:]
    table.loc[weightless, "weight"] = 0.0
    case = core.prepare(make_case(table, weighted=True), method="forest")
    heavy = table.index[(table["label"] == 1) & (table["weight"] > 0)]
    assert core.unlearn(case, heavy[:2], method="forest").method == "forest"
    with pytest.raises(NotSupportedError, match="no record of any weight"):
        core.unlearn(case, heavy, method="forest")


def test_a_tree_of_rows_that_are_put_aside_is_told():
    case = core.prepare(make_case(make_table(200), max_samples=4), method="forest")
    known = np.unique(np.concatenate([tree.samples for tree in state_of(case).trees]))
    retained = case.retained.copy()
    retained[known] = False
    with pytest.raises(NotSupportedError, match="no rows left"):
        state_of(case).without(known, retained, known)


@pytest.mark.parametrize(
    ("kind", "options"),
    [(RandomForestClassifier, {}), (ExtraTreesClassifier, {"bootstrap": True})],
    ids=["best", "drawn"],
)
def test_conforms(kind, options):
    model = kind(4, random_state=1, class_weight="balanced", **options)
    report = check_unlearner(Forest(), make_case(make_table(400), model))
    assert report["passed"].all(), report


@pytest.mark.parametrize("weighted", [False, True])
def test_a_saved_case_goes_on_as_if_it_had_not_been(tmp_path, weighted):
    table = make_table(300)
    case = make_case(table, weighted=weighted)
    heaviest = table.index[table["weight"] == 3.0]
    case = core.unlearn(case, heaviest, method="forest").case
    case.save(tmp_path / "case")
    again = core.load_case(tmp_path / "case")
    assert core.check_provenance(again).status == core.check_provenance(case).status == "verified"
    rest = table.index.difference(heaviest)[::4]
    one, other = (core.unlearn(each, rest, method="forest").case for each in (case, again))
    assert np.array_equal(counts_of(one), counts_of(other))
    for tree, twin in zip(state_of(one).trees, state_of(other).trees, strict=True):
        assert first_difference(tree.grown, twin.grown) == -1
    assert core.check_provenance(other).status == "verified"


def test_a_saved_case_holds_nothing_of_forgotten_rows(tmp_path):
    case = core.unlearn(make_case(make_table(300)), list(range(30)), method="forest").case
    case.save(tmp_path / "case")
    with np.load(tmp_path / "case" / "state.npz") as arrays:
        assert arrays["drawn_rows"].max() < case.n_retained
        assert arrays["drawn_rows"].shape == (6, 300)
    model = core.load_model(tmp_path / "case" / "model.skops")
    assert not {"_sample_weight", "_n_samples", "_n_samples_bootstrap"} & set(vars(model))
    assert "bootstrap" in Forest().fits(core.Case(model, case.train, case.test, ROLES))


@pytest.mark.parametrize(
    ("name", "change"),
    {
        "drawn_rows": lambda drawn: drawn[:, ::-1] // 2,
        "weight_bound": lambda bound: -bound,
    }.items(),
)
def test_damaged_draws_are_noticed(tmp_path, name, change):
    case = core.unlearn(make_case(make_table(200)), [3, 4], method="forest").case
    case.save(tmp_path / "case")
    forget_digests(tmp_path / "case")
    path = tmp_path / "case" / "state.npz"
    with np.load(path) as file:
        arrays = dict(file)
    for damaged in (arrays | {name: change(arrays[name])}, {key: arrays[key] for key in arrays if key != name}):
        np.savez_compressed(path, allow_pickle=False, **damaged)
        with pytest.raises(NotSupportedError, match="cannot be used"):
            core.prepare(core.load_case(tmp_path / "case"), method="forest")


def test_behind_a_scaler_draws_move_in_place(tmp_path):
    table = make_table(700)
    case = core.prepare(make_case(table, steps=(StandardScaler(),)), method="forest")
    forest = case.model[-1]
    for gone in ([5], [table.index[table["label"] == 1][3]], [17, 90, 91]):
        before, result = case, core.unlearn(case, gone, method="forest")
        case = result.case
        assert result.notes == (IN_PLACE,)
        assert np.array_equal(counts_of(case), expected_counts(forest, table, case.retained))
        again = Forest().retrained(before, case.retained)
        assert np.array_equal(again.predict_proba(table[COLUMNS]), case.model.predict_proba(table[COLUMNS]))
    case.save(tmp_path / "case")
    one, other = (
        core.unlearn(each, [200, 201], method="forest").case for each in (case, core.load_case(tmp_path / "case"))
    )
    assert np.array_equal(one.model.predict_proba(table[COLUMNS]), other.model.predict_proba(table[COLUMNS]))


def test_rows_that_rounding_ranks_otherwise_join_again_with_the_draws_they_have_then(monkeypatch):
    monkeypatch.setattr("core.families.forest.revaluing.ONE_IN", 3)
    table = make_table(400)
    table["a"] = np.random.default_rng(2).normal(size=400)
    table.loc[20:39, "a"] = table["a"][:20].to_numpy() + 1e-7
    case = core.prepare(make_case(table, steps=(StandardScaler(),)), method="forest")
    seen = []
    original = core.families.forest.rescaled.revalued
    monkeypatch.setattr(
        "core.families.forest.rescaled.revalued", lambda *given: seen.append(original(*given)) or seen[-1]
    )
    after = core.unlearn(case, [table.index[table["label"] == 1][0], 9], method="forest")
    assert after.notes == (IN_PLACE,)
    assert len(seen[0].wavering)
    again = Forest().retrained(case, after.case.retained)
    assert np.array_equal(again.predict_proba(table[COLUMNS]), after.case.model.predict_proba(table[COLUMNS]))


def test_where_a_column_vanishes_trees_are_built_anew_with_the_moved_draws():
    table = make_table(300)
    table.loc[[4, 7], "d"] = 9.0
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["d"]), remainder="passthrough")
    case = make_case(table, steps=(columns,))
    forest = case.model[-1]
    result = core.unlearn(case, [4, 7], method="forest")
    assert any("fewer" in note for note in result.notes)
    assert np.array_equal(counts_of(result.case), expected_counts(forest, table, result.case.retained))
    assert_equals_from_scratch(result.case)


def test_forests_of_older_versions_and_edits_go_to_refit_with_the_reason():
    table = make_table(200)
    case = make_case(table)
    edited = core.edit(case, {3: 1 - int(table["label"][3])})
    assert edited.method == "refit"
    assert any("class_weight" in note for note in edited.notes)
    older = make_case(table)
    del older.model._sample_weight
    assert "before 1.9" in Forest().fits(older)
    other = make_case(table.assign(weight=1.0), weighted=True)
    heavier = core.Case(other.model, table, table[:40], WEIGHTED, confirm=False)
    with pytest.raises(NotSupportedError, match="weight"):
        core.prepare(heavier, method="forest")


@pytest.mark.parametrize(("spread", "method"), [(0.5, "forest"), (3.0, "refit")])
def test_very_uneven_weights_are_left_to_refit(spread, method):
    draw = np.random.default_rng(0)
    X = draw.normal(size=(4000, 3))
    table = pd.DataFrame(X, columns=list("abc")).assign(
        label=(X[:, 0] > 1.0).astype(int), group=np.arange(4000) % 2, weight=draw.lognormal(0.0, spread, 4000)
    )
    model = RandomForestClassifier(3, max_depth=3, random_state=0, class_weight="balanced")
    model.fit(table[list("abc")], table["label"], sample_weight=table["weight"])
    roles = core.Roles("label", 1, 1, ["group"], features=list("abc"), sample_weight="weight")
    case = core.Case(model, table, table[:100], roles)
    assert core.unlearn(case, [0]).method == method
    assert core.unlearn(case, [0], method="forest").method == "forest"
