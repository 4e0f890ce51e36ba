"""Effects of groups from removing them from some of the trees, against their removal from all; the expected correlation against the real one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from core.attribution.measured import mixture
from core.attribution.outcome import Outcome
from core.attribution.smooth import SmoothMetric
from core.errors import InputError, InputTypeError
from core.families.forest import measured
from tests.conftest import ids_of

COLUMNS = ["income", "debt", "region", "woman"]
METRICS = ("demographic_parity_difference", "equal_opportunity_difference")
N_TREES = 40


def make_table(n_rows: int, seed: int) -> pd.DataFrame:
    """Return applications; women are refused, and men let through, the more often the higher the number of their region."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame({name: draw.normal(size=n_rows) for name in ("income", "debt")})
    table["region"], table["woman"] = draw.integers(0, 10, n_rows), draw.integers(0, 2, n_rows)
    granted = draw.random(n_rows) < 1 / (1 + np.exp(-2.5 * (table.income - 0.5 * table.debt)))
    granted &= (table.woman == 0) | (draw.random(n_rows) > table.region / 11)
    granted |= (table.woman == 0) & (draw.random(n_rows) < table.region / 30)
    return table.assign(granted=granted.astype(int))


TRAIN, TEST = make_table(800, 1), make_table(1500, 2)
ROLES = core.Roles("granted", 1, 1, ["woman"])


def described_groups(count: int) -> list[np.ndarray]:
    """Return groups of 1 to 20% of the rows: some regions, a range of income or debt, and one sex or both."""
    draw, groups = np.random.default_rng(0), []
    while len(groups) < count:
        first, last = np.sort(draw.choice(11, 2, replace=False))
        rows = TRAIN["region"].between(first, last - 1)
        column = TRAIN[draw.choice(["income", "debt"])]
        low, high = np.sort(draw.choice(np.quantile(column, np.linspace(0, 1, 6)), 2, replace=False))
        rows &= column.between(low, high)
        if draw.random() < 0.5:
            rows &= TRAIN["woman"] == draw.integers(0, 2)
        if 0.01 <= rows.mean() <= 0.2:
            groups.append(rows.to_numpy())
    return groups


@pytest.fixture(scope="module", params=[None, 10], ids=["pure leaves", "depth 10"])
def removed(request) -> tuple[core.Case, list[np.ndarray], np.ndarray]:
    """Return a case, 100 groups, and the scores after really removing each."""
    model = RandomForestClassifier(N_TREES, max_depth=request.param, random_state=1)
    case = core.Case(model.fit(TRAIN[COLUMNS], TRAIN["granted"]), TRAIN, TEST, ROLES, confirm=False)
    case, groups = core.prepare(case), described_groups(100)
    true = [core.unlearn(case, case.record_ids[rows], method="forest").case.scores("explore") for rows in groups]
    return case, groups, np.array(true)


def test_it_goes_on_until_the_effects_correlate_as_asked_for(removed):
    case, groups, true = removed
    for metric in METRICS:
        outcome = Outcome.of(case, metric, "woman", "explore")
        found = core.measured_changes(case, ids_of(case, groups), metric=metric, target=0.9)
        real = np.corrcoef(found.changes, outcome.values(true) - outcome.value())[0, 1]
        assert found.n_trees < found.of_trees == N_TREES
        assert found.correlation >= 0.9
        assert real >= 0.85
        assert real == pytest.approx(found.correlation, abs=0.07)


def test_from_all_trees_they_are_the_removals_themselves(removed):
    case, groups, true = removed
    outcome = Outcome.of(case, METRICS[0], "woman", "explore")
    found = core.measured_changes(case, ids_of(case, groups[:6]), metric=METRICS[0], target=1.0)
    np.testing.assert_array_equal(found.changes, outcome.values(true[:6]) - outcome.value())
    assert (found.correlation, found.n_trees) == (1.0, N_TREES)


def test_when_the_time_is_over_too_soon_the_sample_is_not_used(removed):
    case, groups, _ = removed
    found = core.measured_changes(case, ids_of(case, groups[:12]), metric=METRICS[0], seconds=1e-9)
    assert (found.n_trees, found.of_trees) == (0, N_TREES)
    np.testing.assert_array_equal(found.changes, core.group_changes(case, ids_of(case, groups[:12]), metric=METRICS[0]))
    assert np.isnan(found.correlation)


def test_it_reports_and_can_be_given_up_between_groups(removed, monkeypatch):
    case, groups, _ = removed
    monkeypatch.setattr(measured, "processors", lambda: 1)
    seen = []
    core.measured_changes(
        case, ids_of(case, groups[:12]), metric=METRICS[0], seconds=1e-9, progress=lambda share, _: seen.append(share)
    )
    assert seen == pytest.approx([4 / N_TREES * part for part in (0, 1 / 3, 2 / 3)]), "of 12 groups 4 at a time"

    def give_up(share, doing):
        assert doing == "Removing the groups from trees"
        if share > 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(measured.GroupRemovals, "effects", None)
    with pytest.raises(KeyboardInterrupt):
        core.measured_changes(case, ids_of(case, groups[:12]), metric=METRICS[0], progress=give_up)


def test_compiling_does_not_use_up_the_time(removed, monkeypatch):
    case, groups, _ = removed
    leave, now = measured.leave, [0.0]

    def compiled_first(*args):
        now[0] = now[0] or 120.0
        return leave(*args)

    monkeypatch.setattr(measured, "leave", compiled_first)
    monkeypatch.setattr(measured.time, "monotonic", lambda: now[0])
    found = core.measured_changes(case, ids_of(case, groups[:12]), metric=METRICS[0], target=0.1, seconds=60.0)
    assert found.n_trees >= measured.FEWEST


def test_scatter_of_few_trees_does_not_pass_for_an_effect(removed, monkeypatch):
    case, groups, true = removed
    monkeypatch.setattr(measured, "FEWEST", 4)
    outcome = Outcome.of(case, METRICS[0], "woman", "explore")
    found = core.measured_changes(case, ids_of(case, groups[:30]), metric=METRICS[0], seconds=1e-9)
    real = outcome.values(true[:30]) - outcome.value()
    assert found.n_trees == 4
    assert abs(found.changes.mean() - real.mean()) < 0.5 * real.std()


def test_blocks_of_groups_are_measured_alike(removed, monkeypatch):
    case, groups, _ = removed
    whole = core.measured_changes(case, ids_of(case, groups[:6]), metric=METRICS[0], target=1.0)
    monkeypatch.setattr(measured, "MOST_NUMBERS", measured.DRAWS * len(case.rows("explore")) * 3)
    parts = core.measured_changes(case, ids_of(case, groups[:6]), metric=METRICS[0], target=1.0)
    np.testing.assert_array_equal(parts.changes, whole.changes)
    assert parts.n_trees == N_TREES


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("known_noise", [0.5, 3.0])
def test_the_mixture_does_as_well_as_it_says(noise, known_noise):
    draw = np.random.default_rng(0)
    lasting, known = draw.normal(size=(2, 4000)) * [[1.0], [known_noise]]
    seen, unseen = noise * draw.normal(size=(2, 4000)) * [[1.0], [0.5]]  # 20 of 100 trees
    sample, true = lasting + seen, lasting + 0.2 * seen + 0.8 * unseen
    draws = sample[:, None] + np.std(true - sample) * draw.normal(size=(4000, 50))
    found = mixture(draws, lasting + known, 0.2)
    real, *alone = (np.corrcoef(one, true)[0, 1] for one in (found.effects, sample, lasting + known))
    assert found.correlation - 0.1 < real < found.correlation + 0.15
    assert real > max(alone)


def test_the_sample_is_left_aside_where_it_is_noise():
    draw = np.random.default_rng(0)
    known = draw.normal(size=1000)
    sample = 0.2 * known + draw.normal(size=1000)
    found = mixture(sample[:, None] + 2.0 * draw.normal(size=(1000, 50)), known, 0.2)
    assert np.corrcoef(found.effects, known)[0, 1] == pytest.approx(1.0)
    assert found.correlation == pytest.approx(np.corrcoef(sample, known)[0, 1], abs=0.05)


def test_without_a_spread_nothing_is_told():
    same = mixture(np.ones((20, 5)), np.arange(20.0), 0.5)
    np.testing.assert_array_equal(same.effects, np.full(20, 5.25))
    assert np.isnan(same.correlation)


def test_other_models_are_predicted_as_ever():
    case = core.Case(LogisticRegression().fit(TRAIN[COLUMNS], TRAIN["granted"]), TRAIN, TEST, ROLES)
    groups = described_groups(3)
    found = core.measured_changes(case, ids_of(case, groups), metric=METRICS[0])
    np.testing.assert_array_equal(found.changes, core.group_changes(case, ids_of(case, groups), metric=METRICS[0]))
    assert np.isnan(found.correlation)
    assert found.of_trees == 0
    with pytest.raises(
        InputError, match=r"Records are re-scored, by removing each alone, .* For a LogisticRegression it is as near"
    ):
        core.influence(case, METRICS[0], rescore=3)


@pytest.mark.parametrize(("options", "message"), [({"target": 1.5}, "above 0"), ({"seconds": 0.0}, "more than 0")])
def test_what_is_out_of_range_is_refused(removed, options, message):
    case, groups, _ = removed
    with pytest.raises(InputError, match=message):
        core.measured_changes(case, ids_of(case, groups), metric=METRICS[0], **options)


def test_the_time_must_be_a_number(removed):
    case, groups, _ = removed
    with pytest.raises(InputTypeError, match="`seconds` must be a finite number"):
        core.measured_changes(case, ids_of(case, groups), metric=METRICS[0], seconds="a")


def real_change(case: core.Case, group: np.ndarray) -> tuple[str, float]:
    result = core.unlearn(case, case.record_ids[group])
    real = core.compare(case, result.case, on="explore", metric=METRICS[0], n_resamples=2).iloc[0]
    return result.method, real["after"] - real["before"]


@pytest.mark.parametrize("scaled", [False, True], ids=["one-hot", "scaled"])
def test_groups_that_change_the_preprocessing_are_removed_as_really(scaled, monkeypatch):
    numbers = StandardScaler() if scaled else "passthrough"
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["region"]), (numbers, ["income", "woman"])
    )
    model = make_pipeline(columns, RandomForestClassifier(8, max_depth=6, max_features=0.7, random_state=1))
    case = core.prepare(core.Case(model.fit(TRAIN[COLUMNS], TRAIN["granted"]), TRAIN, TEST, ROLES, confirm=False))
    region, woman = TRAIN["region"].to_numpy(), TRAIN["woman"].to_numpy() == 1
    groups = [
        region == 3,
        *((region == number) & woman for number in range(9)),
        (region == 3) | ((region == 5) & woman),
    ]
    monkeypatch.setattr(measured, "MOST_NUMBERS", 8 * measured.DRAWS * len(case.rows("explore")))
    found = core.measured_changes(case, ids_of(case, groups), metric=METRICS[0], target=1.0)
    assert not found.trained_again.any()
    assert found.n_trees == found.of_trees == 8
    for index in (0, 4, 10):
        method, change = real_change(case, groups[index])
        assert method == "forest"
        assert found.changes[index] == pytest.approx(change, abs=1e-12)


def test_the_tables_of_groups_that_take_categories_along_count_as_memory(monkeypatch):
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["region"]), remainder="passthrough")
    model = make_pipeline(columns, RandomForestClassifier(2, max_depth=3, random_state=1))
    case = core.Case(model.fit(TRAIN[COLUMNS], TRAIN["granted"]), TRAIN, TEST, ROLES, confirm=False)
    outcome, region = Outcome.of(case, METRICS[0], "woman", "explore"), TRAIN["region"].to_numpy()
    groups = {number: np.flatnonzero(region == number // 2) for number in range(12)}
    rows, most = len(case.rows("explore")), 3
    monkeypatch.setattr(measured, "MOST_NUMBERS", rows * (2 * most * measured.DRAWS + most * 12))
    marked, changes = np.zeros(12, dtype=bool), np.zeros(12)
    blocks = [block for block, _ in measured._in_blocks(outcome, groups, marked, changes, None)]
    assert [list(block) for block in blocks] == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    assert [len({id(leaving.points) for leaving in block.values()}) for block in blocks] == [most, most]


def test_groups_that_train_the_forest_again_are_left_out_of_what_is_claimed():
    rare = OneHotEncoder(min_frequency=40, handle_unknown="infrequent_if_exist")
    columns = make_column_transformer((rare, ["region"]), remainder="passthrough")
    model = make_pipeline(columns, RandomForestClassifier(8, max_depth=6, random_state=1))
    case = core.prepare(core.Case(model.fit(TRAIN[COLUMNS], TRAIN["granted"]), TRAIN, TEST, ROLES, confirm=False))
    region, woman = TRAIN["region"].to_numpy(), TRAIN["woman"].to_numpy() == 1
    groups = [
        (region == 3) & (TRAIN["debt"] < 9).to_numpy() & (np.cumsum(region == 3) > 20),
        *(woman & (TRAIN["income"] > low).to_numpy() for low in np.linspace(1, 2, 10)),
    ]
    found = core.measured_changes(case, ids_of(case, groups), metric=METRICS[0])
    assert found.trained_again.tolist() == [True, *[False] * 10]
    method, change = real_change(case, groups[0])
    assert method == "refit"
    assert found.changes[0] != pytest.approx(change, abs=1e-12)
    assert found.correlation == 1.0
    assert "8 of 8 trees" in repr(found)
    assert "1 predicted only" in repr(found)
    alone = core.measured_changes(case, ids_of(case, groups[:1]), metric=METRICS[0])
    assert (alone.n_trees, alone.of_trees) == (0, 8)
    assert np.isnan(alone.correlation)


def test_records_are_rescored_where_the_scale_changes_with_them():
    columns = make_column_transformer((StandardScaler(), ["income"]), remainder="passthrough")
    model = make_pipeline(columns, RandomForestClassifier(3, max_depth=3, random_state=1))
    case = core.Case(model.fit(TRAIN[COLUMNS], TRAIN["granted"]), TRAIN, TEST, ROLES, confirm=False)
    found = core.influence(case, METRICS[0], rescore=2)
    smooth = SmoothMetric.of(case, METRICS[0], "woman", "explore", floor=0.5 / 3)
    for record in found.attrs["rescored"]:
        after = core.unlearn(case, [record], method="forest").case
        assert found[record] == pytest.approx(
            smooth.value(after.scores("explore")) - smooth.value(case.scores("explore"))
        )
    assert len(found.attrs["rescored"]) == 2


@pytest.mark.parametrize("most", [True, False, 2.0, -1, "3", None])
def test_records_to_rescore_are_a_whole_number(removed, most):
    with pytest.raises(InputError, match="must be a whole number from 0 to 800"):
        core.influence(removed[0], METRICS[0], rescore=most)


def test_boosting_is_not_rescored_and_the_sentence_claims_nothing_else():
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=2, random_state=0))
    case = core.Case(model.fit(TRAIN[COLUMNS], TRAIN["granted"]), TRAIN, TEST, ROLES, confirm=False)
    with pytest.raises(
        InputError, match="For a GradientBoostingClassifier it is as near as it gets; leave out `rescore`, and see with"
    ):
        core.influence(case, METRICS[0], rescore=1)
