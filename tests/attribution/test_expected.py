"""Expected gains: what the average of two halves makes of known figures, and how often its interval holds for other rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import core
from core.attribution.expected import NOTHING, ExpectedGain, Gain, average, divide, expected_gain
from core.attribution.outcome import Outcome
from core.errors import InputError

GAP = "equal_opportunity_difference"
SEARCHED, OTHERS, CANDIDATES = 1500, 8_000, 20
ROLES = core.Roles("granted", 1, 1, ["sex"], features=["score"])


def applicants(rows: int, draw: np.random.Generator, gap: float) -> pd.DataFrame:
    """Return people whose score is the chance of a good outcome, women's too low by `gap`."""
    table = pd.DataFrame({"sex": draw.choice(["f", "m"], rows), "granted": draw.integers(0, 2, rows)})
    table["score"] = draw.random(rows) + 0.2 * table.granted - gap * (table.sex == "f")
    return table


def candidates(table: pd.DataFrame, draw: np.random.Generator, strengths: np.ndarray) -> np.ndarray:
    """Return scores after each of many removals: some refused women are granted, and decisions change at random besides."""
    base = (table.score > 0.6).to_numpy()
    woman = (table.sex == "f").to_numpy()
    found = np.tile(base, (len(strengths), 1))
    for row, strength in zip(found, strengths, strict=True):
        row[woman & ~base & (draw.random(len(table)) < strength)] = True
        row ^= draw.random(len(table)) < 0.08
    return np.where(found, 0.9, 0.1)


def gaps_of(table: pd.DataFrame, scores: np.ndarray) -> np.ndarray:
    deserving = (table.granted == 1).to_numpy()
    woman = (table.sex == "f").to_numpy()
    granted = scores > 0.5
    return np.abs(granted[..., deserving & woman].mean(-1) - granted[..., deserving & ~woman].mean(-1))


class Fixed(LogisticRegression):
    """Gives the column it is handed as its probability."""

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        chance = np.clip(np.asarray(X)[:, 0] - 0.1, 0.0, 1.0)
        return np.column_stack([1.0 - chance, chance])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]


def one_search(seed: int, strengths: np.ndarray, gap: float = 0.25) -> tuple[ExpectedGain, float, float]:
    """Return the expected gain of taking the best of many, what the rows searched say, and what many others do."""
    draw = np.random.default_rng(seed)
    table = applicants(SEARCHED + OTHERS, draw, gap)
    scores = candidates(table, draw, strengths)
    searched, others = table[:SEARCHED], table[SEARCHED:]
    model = Fixed().fit(searched[["score"]], searched.granted)
    case = core.Case(model, searched, searched, ROLES, confirm=False)
    own = scores[:, :SEARCHED]
    halves = {half.case: half for pair in divide(case, "sex", "explore", seed=seed) for half in pair}
    places = {tuple(half.case.confirm_mask): half.places for half in halves.values()}

    def best(half: core.Case) -> int:
        at = places[tuple(half.confirm_mask)]
        return int(np.argmin(Outcome.of(half, GAP, "sex", "explore").values(own[:, at])))

    found = expected_gain(case, GAP, "sex", best, lambda one: own[one], seed=seed)
    before = gaps_of(searched, case.scores("explore"))
    chosen = int(np.argmin(gaps_of(searched, own)))
    naive = float(before - gaps_of(searched, own[chosen]))
    chance = np.clip(others.score.to_numpy() - 0.1, 0.0, 1.0)
    truth = float(gaps_of(others, chance) - gaps_of(others, scores[chosen, SEARCHED:]))
    return found, naive, truth


def test_the_interval_covers_what_rows_not_searched_show_and_the_naive_gain_does_not():
    results = [one_search(seed, np.linspace(0.0, 0.1, CANDIDATES)) for seed in range(30)]
    found, naive, truth = (
        np.array(part) for part in zip(*((one.gain, was, real) for one, was, real in results), strict=True)
    )
    covered = [one.low <= real <= one.high for one, _, real in results]
    assert np.mean(covered) >= 0.85
    assert abs((found - truth).mean()) < 0.25 * (naive - truth).mean()
    assert (naive - truth).mean() > 0.01


def test_where_there_is_no_gap_hardly_ever_anything_is_said_to_help():
    results = [one_search(100 + seed, np.zeros(CANDIDATES), gap=0.0) for seed in range(40)]
    assert all(real <= 0.02 for _, _, real in results)
    assert np.mean([naive > 0.0 for _, naive, _ in results]) > 0.9, "on the rows searched all of them seem to help"
    assert sum(one.helps for one, _, _ in results) <= 3


def test_what_closes_most_of_a_gap_is_said_to_help():
    results = [one_search(200 + seed, np.r_[np.zeros(CANDIDATES - 1), 0.35]) for seed in range(5)]
    assert all(one.helps for one, _, _ in results)
    assert all("Expected to close" in one.sentence for one, _, _ in results)


def test_the_average_and_its_error_are_those_worked_by_hand():
    pairs = [(Gain(0.10, 0.0004), Gain(0.06, 0.0012)), (Gain(0.08, 0.0008), None), (None, None)]
    found = average(pairs, n_rows=900, gap=0.2)
    assert found is not None
    assert found.gain == pytest.approx(0.08)
    assert found.se**2 == pytest.approx(((0.0004 + 0.0012) / 4 + 0.04**2 / 4 + 0.0008) / 2)
    assert (found.n_splits, found.n_found, found.n_rows) == (3, 3, 900)
    assert (found.low, found.high) == (
        pytest.approx(0.08 - 1.6449 * found.se, abs=1e-5),
        pytest.approx(0.08 + 1.6449 * found.se, abs=1e-5),
    )
    assert average([(None, None)], n_rows=900, gap=0.2) is None


def test_each_sentence_says_no_more_than_the_interval():
    helps, cannot_tell, none = (
        average([(Gain(gain, variance), Gain(gain, variance))], n_rows=2000, gap=0.2)
        for gain, variance in ((0.1, 0.0002), (0.05, 0.01), (0.001, 0.00001))
    )
    nothing = average([(NOTHING, NOTHING)], n_rows=2000, gap=0.2)
    assert (helps.helps, helps.none_expected) == (True, False)
    assert helps.sentence == "Expected to close 0.100 of 0.200 on other rows, too (90% interval 0.084 to 0.116)."
    assert (cannot_tell.helps, cannot_tell.none_expected) == (False, False)
    assert (
        "Reached on the 2,000 rows searched; these rows cannot tell whether it holds elsewhere" in cannot_tell.sentence
    )
    assert "0.050 plus or minus 0.116" in cannot_tell.sentence
    assert (none.helps, none.none_expected, nothing.none_expected) == (False, True, True)
    assert none.sentence.startswith("No gain is expected on other rows")


def test_halves_are_stratified_and_leave_no_row_out(small_case):
    for first, second in divide(small_case, "sex", "explore"):
        both = np.sort(np.concatenate([first.places, second.places]))
        assert both.tolist() == list(range(len(small_case.rows("explore"))))
        for half in (first, second):
            np.testing.assert_array_equal(half.case.scores("explore"), small_case.scores("explore")[half.places])
        kinds = [np.bincount(half.case.groups("sex").codes * 2 + half.case.y("explore")) for half in (first, second)]
        assert np.abs(kinds[0] - kinds[1]).max() <= 1
    again = divide(small_case, "sex", "explore", n_splits=1)[0][0].places
    assert again.tolist() == divide(small_case, "sex", "explore", n_splits=1)[0][0].places.tolist()


@pytest.mark.parametrize("metric", [GAP, "equal_opportunity_ratio", "accuracy", "log_loss", "roc_auc_difference"])
def test_gains_on_halves_are_the_metric_measured_there(small_case, metric):
    scores = np.clip(small_case.scores("explore") * 0.8 + 0.15, 0.0, 1.0)
    half = divide(small_case, "sex", "explore", n_splits=1)[0][0]
    feature = "sex" if "_difference" in metric or "_ratio" in metric else None
    outcome = Outcome.of(half.case, metric, feature, "explore")
    toward = -1.0 if outcome.metric.better == "lower" else 1.0
    change = outcome.values(scores[None, half.places])[0] - outcome.value()
    gain = half.gain(metric, feature, scores)
    assert gain is not None
    assert gain.value == pytest.approx(toward * change)
    same = half.gain(metric, feature, small_case.scores("explore"))
    assert same is not None
    assert same.value == 0.0


def test_variances_are_those_of_a_bootstrap_of_the_rows(small_case):
    scores = np.clip(small_case.scores("explore") * 0.8 + 0.15, 0.0, 1.0)
    half = divide(small_case, "sex", "explore", n_splits=1)[0][0]
    gain = half.gain(GAP, "sex", scores)
    draw, draws = np.random.default_rng(0), []
    sex, label = half.case.groups("sex").codes, half.case.y("explore")
    decided = [half.case.decide(one) for one in (half.case.scores("explore"), scores[half.places])]
    for _ in range(1500):
        rows = draw.integers(0, len(sex), len(sex))
        rates = [[one[rows][label[rows] & (sex[rows] == g)].mean() for g in (0, 1)] for one in decided]
        draws.append(abs(rates[0][0] - rates[0][1]) - abs(rates[1][0] - rates[1][1]))
    assert gain is not None
    assert gain.variance == pytest.approx(np.var(draws), rel=0.25)


def test_a_search_that_finds_nothing_gains_nothing(small_case):
    found = expected_gain(small_case, GAP, "sex", lambda _: None, lambda _: small_case.scores("explore"))
    assert (found.gain, found.se, found.n_found) == (0.0, 0.0, 10)
    assert "No gain is expected" in found.sentence


def test_what_cannot_be_measured_is_said_to_be(small_case):
    with pytest.raises(InputError, match="must have a better end"):
        expected_gain(small_case, "base_rate", None, lambda _: None, lambda _: small_case.scores("explore"))
    one_group = small_case.test.assign(granted=np.where(small_case.test.sex == "f", 0, small_case.test.granted))
    case = core.Case(small_case.model, small_case.train, one_group, small_case.roles)
    with pytest.raises(InputError, match="must be defined on the explore rows"):
        expected_gain(case, GAP, "sex", lambda _: None, lambda _: case.scores("explore"))
