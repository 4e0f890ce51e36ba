"""Forests behind a scaler: updated in place where the order of values stays, and then what building them again gives, bit for bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import core
from core.families.forest import rescaled, revaluing
from core.families.forest.coding import code_table
from core.families.forest.points import state_of
from core.families.forest.rescaled import IN_PLACE
from core.families.forest.revaluing import revalued
from core.families.forest.tree import first_difference, grown_of
from core.families.forest.unlearner import Forest
from core.numerics.trees.arrays import LINK
from core.numerics.trees.build import FEATURE, THRESHOLD
from core.numerics.trees.histograms import HEAD_ABOVE, HEAD_BELOW, HEAD_BINS, HEAD_PEAK
from core.numerics.trees.histograms import HEAD_FEATURE as OF

N = 700


def make_case(last, *, scaler=None, close=False, classes=2):
    """Return a case of whole numbers, some missing; if `close`, with a column of others, some about 1e-7 apart."""
    draw = np.random.default_rng(7)
    table = pd.DataFrame(
        {
            "age": draw.integers(18, 80, N).astype(float),
            "amount": np.where(draw.random(N) < 0.6, 0.0, draw.integers(1, 90_000, N)),
            "months": np.where(draw.random(N) < 0.1, np.nan, draw.integers(0, 9, N)),
            "ratio": draw.normal(size=N) if close else draw.integers(0, 400, N) / 4,
            "rate": draw.integers(0, 200, N) / 10,
        }
    )
    if close:
        table.loc[20:39, "ratio"] = table["ratio"][:20].to_numpy() + 1e-7
    names = list(table)
    score = (
        table["age"] / 20 + np.log1p(table["amount"]) / 5 + table["ratio"] / (1 if close else 100) + draw.normal(size=N)
    )
    table["y"] = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    table["sex"] = draw.integers(0, 2, N)
    model = make_pipeline(scaler or StandardScaler(), last).fit(table[names], table["y"])
    return core.prepare(core.Case(model, table, table[:60], core.Roles("y", 1, 1, ["sex"]), confirm=False))


def assert_equals_building_again(before, after):
    again = Forest().retrained(before, after.retained)
    fitted = getattr(again[-1], "estimators_", [again[-1]])
    for tree, whole in zip(state_of(after).trees, fitted, strict=True):
        assert first_difference(tree.grown, grown_of(whole)) == -1
        assert tree.estimator.get_depth() == whole.get_depth()
    scored = after.X_test
    np.testing.assert_array_equal(after.scores("test"), again.predict_proba(scored)[:, after.pos_column])
    np.testing.assert_array_equal(after.model.predict_proba(scored), again.predict_proba(scored))


def splits_remembered(case):
    """Compare the codes next to the splits that histograms hold with the thresholds of their nodes; return how many there are."""
    table, count = state_of(case).grove.table, 0
    for tree in state_of(case).trees:
        memory = tree.memory
        lines = np.concatenate([memory.shared, memory.own])
        for node in np.flatnonzero(tree.marks.names >= 0):
            head = tree.marks.names[node] + 1
            while lines[head, OF] != tree.grown.words[node, FEATURE]:
                head += 1 + lines[head, HEAD_BINS]
            if lines[head, HEAD_PEAK] >= 0:
                low, high = table.values[table.first[lines[head, OF]] + lines[head, [HEAD_BELOW, HEAD_ABOVE]]].astype(
                    float
                )
                assert low / 2 + high / 2 == tree.grown.reals[node, THRESHOLD]
                count += 1
    return count


def go(case, rows):
    """Return the case without some rows, in place, and compare it with building again."""
    result = core.unlearn(case, rows, method="forest")
    assert result.notes == (IN_PLACE,)
    assert_equals_building_again(case, result.case)
    return result.case


@pytest.mark.parametrize(
    ("last", "scaler", "classes"),
    [
        (RandomForestClassifier(4, random_state=0), None, 2),
        (RandomForestClassifier(3, random_state=1, criterion="entropy", min_samples_leaf=3), RobustScaler(), 2),
        (RandomForestClassifier(3, random_state=2), QuantileTransformer(n_quantiles=30), 3),
        (DecisionTreeClassifier(random_state=3, max_depth=7), None, 2),
    ],
    ids=["gini", "entropy", "three classes", "tree"],
)
def test_a_chain_of_removals_and_edits_equals_building_again(last, scaler, classes, tmp_path):
    case = first = make_case(last, scaler=scaler, classes=classes)
    old = [tree.grown.words.copy() for tree in state_of(first).trees]
    rows = np.random.default_rng(1).permutation(N)
    for gone in (rows[:1], rows[1:2], rows[2:20]):
        case = go(case, gone)
    assert core.predicted_scores(case, rows[20:21])[1] == (), "how trees are updated says nothing of records that stay"
    relabel = {int(row): (int(case.train_codes[row]) + 1) % classes for row in rows[40:43]}
    case = core.edit(case, relabel, method="forest").case
    for tree, again in zip(state_of(case).trees, state_of(case).from_scratch(case.retained).trees, strict=True):
        assert first_difference(tree.grown, again.grown) == -1
    case = go(case, rows[40:41])
    case.save(tmp_path / "case")
    go(core.prepare(core.load_case(tmp_path / "case")), rows[43:45])
    assert all((words == tree.grown.words).all() for words, tree in zip(old, state_of(first).trees, strict=True))


def test_rows_that_rounding_ranks_otherwise_leave_and_join_again(monkeypatch):
    monkeypatch.setattr(revaluing, "ONE_IN", 3)
    found = []
    monkeypatch.setattr(rescaled, "revalued", lambda *given: found.append(revalued(*given)) or found[-1])
    case, rows = (
        make_case(RandomForestClassifier(3, random_state=0), close=True),
        np.random.default_rng(2).permutation(N),
    )
    for gone in (rows[:1], rows[1:2], rows[2:3], rows[3:9], rows[9:10]):
        case = go(case, gone)
        assert splits_remembered(case) > 5
        widest = np.diff(state_of(case).grove.table.first).max()
        assert all(len(bench.scratch.slot) >= widest for bench in state_of(case).grove.benches)
    assert sum(one.shifts is not None for one in found) > 2


@pytest.mark.parametrize(
    ("last", "scaler", "n_gone"),
    [
        (RandomForestClassifier(2, random_state=0), StandardScaler(), 40),
        (RandomForestClassifier(2, random_state=0, min_samples_leaf=0.01002), StandardScaler(), 2),
        (RandomForestClassifier(2, random_state=0), make_pipeline(SimpleImputer(), PCA(3)), 1),
        (ExtraTreesClassifier(2, random_state=0), StandardScaler(), 1),
    ],
    ids=["many rows", "other rules", "other order", "drawn thresholds"],
)
def test_what_cannot_be_updated_is_built_again_and_says_so(last, scaler, n_gone):
    case = make_case(last, scaler=scaler)
    result = core.unlearn(case, range(n_gone), method="forest")
    assert [note.split("; ")[1] for note in result.notes] == ["each was built again from its recorded randomness."]
    assert_equals_building_again(case, result.case)


def test_a_scale_that_stays_needs_no_note():
    case = make_case(RandomForestClassifier(2, random_state=0), scaler=MinMaxScaler())
    inside = case.train["amount"].between(1, 50_000) & case.train["age"].between(30, 50)
    assert core.unlearn(case, np.flatnonzero(inside)[:1], method="forest").notes == ()


@pytest.mark.parametrize("seed", range(6))
def test_codes_rank_the_new_values_and_bins_part_no_values_taken_as_one(seed, monkeypatch):
    monkeypatch.setattr(revaluing, "ONE_IN", 1)
    draw = np.random.default_rng(seed)
    X = np.stack([draw.integers(0, 300, 900) / 7, draw.normal(size=900).round(2)], axis=1)
    X[:, 1] += 2.5e-7 * draw.integers(0, 2, 900)
    X[draw.random(900) < 0.05, seed % 2] = np.nan
    table, known = code_table(X.astype(np.float32), 2), draw.random(900) < 0.9
    known &= seed < 5 or ~np.isnan(X).any(axis=1)
    infinite = np.isinf(table.values).sum()
    values = (X[known] * draw.uniform(0.4, 0.6) + draw.uniform(0, 1)).astype(np.float32)
    found = revalued(table, np.arange(2), values, known)
    assert found is not None
    assert len(found.wavering) > 0
    table = found.table
    assert np.isinf(table.values).sum() == infinite == 2
    for column, (missing, of) in enumerate([(np.inf, 0), (np.inf, 1), (-np.inf, seed % 2)]):
        held, codes = np.nan_to_num(values[:, of], nan=missing), table.codes[column, known].astype(int)
        own = table.values[table.first[column] : table.first[column + 1]]
        np.testing.assert_array_equal(own[codes], held)
        assert (np.diff(own) >= 0).all()
        assert (np.diff(table.codes[column, table.order[column]].astype(int)) >= 0).all()
        np.testing.assert_array_equal(table.codes_by_row[column], table.codes[column])
        edges, n_bins = table.edges[column], table.n_bins[column]
        bins = np.searchsorted(edges[:n_bins], table.codes[column], side="right") - 1
        np.testing.assert_array_equal(table.bins[column], bins)
        inside = np.bincount(bins, minlength=n_bins)
        np.testing.assert_array_equal(np.diff(table.starts[column, : n_bins + 1]), inside)
        order = np.argsort(codes)
        ranked, ranks, parts = held[order], codes[order], bins[known][order]
        for step in range(1, 40):
            close = (ranked[step:] <= ranked[:-step] + LINK) & (ranks[step:] > ranks[:-step])
            assert (parts[step:] == parts[:-step])[close].all()
            assert (ranks[step:] - ranks[:-step])[close].max(initial=0) <= table.linked[column]


def test_a_row_that_holds_a_chain_of_linked_values_together_is_marked(monkeypatch):
    values = np.append([0.0, 2e-7, 4e-7], np.arange(1, 1200) / 100).astype(np.float32)[:, None]
    found = revalued(code_table(values, 2), np.array([0]), values * np.float32(0.4), np.ones(1202, dtype=bool))
    assert found is not None
    assert found.wavering.tolist() == np.flatnonzero(found.table.chained).tolist() == [1]
    monkeypatch.setattr(revaluing, "ONE_IN", 1203)
    assert revalued(code_table(values, 2), np.array([0]), values * np.float32(0.4), np.ones(1202, dtype=bool)) is None
