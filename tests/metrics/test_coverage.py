"""Do the intervals of gaps cover what they say, and do the tests reject as often as they say?"""

from __future__ import annotations

import numpy as np
import pytest

from core.metrics.catalog import METRICS
from core.metrics.change import paired_change
from core.metrics.gaps import evaluate
from core.metrics.inference import gap_interval, gap_p_value
from core.metrics.rates import group_rate
from core.metrics.samples import GroupSample, PairedSample, Sample
from core.numerics.statistics.counts import before_and_after, cell_counts

N = 300
SIX = [0.50, 0.56, 0.53, 0.53, 0.53, 0.53]


def population(rates: list[float]) -> np.ndarray:
    """Cell shares: half of the labels favourable, decided favourably at the group's rate, others at half of it."""
    rows = [[[0.5 * (1 - p / 2), 0.25 * p], [0.5 * (1 - p), 0.5 * p]] for p in rates]
    return np.array(rows)


def sampled(shares: np.ndarray, rng: np.random.Generator, n_resamples: int) -> GroupSample:
    counts = np.array([rng.multinomial(N, s.ravel()) for s in shares]).reshape(shares.shape)
    cells = np.repeat(np.arange(counts.size), counts.ravel())
    codes, label, decision = np.unravel_index(cells, counts.shape)
    return GroupSample(Sample(label == 1, decision == 1), codes, len(shares), n_resamples, rng)


@pytest.mark.parametrize("name", ["demographic_parity_difference", "equal_opportunity_difference"])
@pytest.mark.parametrize(
    ("rates", "widest"),
    [
        pytest.param([0.5, 0.5], 0.25, id="2 groups, no gap"),
        pytest.param([0.5, 0.56], 0.25, id="2 groups, gap 0.06"),
        pytest.param([0.5, 0.9], 0.25, id="2 groups, large gap"),
        pytest.param([0.5] * 6, 0.25, id="6 groups, no gap"),
        pytest.param(SIX, 0.25, id="6 groups, gap 0.06"),
        pytest.param([0.2, 0.9, 0.5, 0.6, 0.4, 0.7], 0.25, id="6 groups, large gap"),
    ],
)
def test_gap_intervals_cover_at_300_per_group(name: str, rates: list[float], widest: float) -> None:
    rng, metric, shares = np.random.default_rng(20), METRICS[name], population(rates)
    truth = float(evaluate(name, shares))
    ends = []
    for _ in range(300):
        view = sampled(shares, rng, 600)
        ends.append(gap_interval(metric, [view.rate(rate) for rate in metric.rates], 0.95))
    low, high = np.array(ends).T
    assert np.mean((low <= truth + 1e-12) & (truth <= high + 1e-12)) >= 0.93
    assert np.mean(high - low) < widest


def test_the_plain_bootstrap_does_not_cover() -> None:
    rng, shares = np.random.default_rng(21), population(SIX)
    truth, hits = float(evaluate("equal_opportunity_difference", shares)), 0
    for _ in range(200):
        low, high = np.quantile(
            evaluate("equal_opportunity_difference", sampled(shares, rng, 400).drawn), [0.025, 0.975]
        )
        hits += low <= truth <= high
    assert hits / 200 < 0.85


@pytest.mark.parametrize("name", ["equalized_odds_difference", "demographic_parity_ratio", "accuracy_score_group_min"])
def test_other_comparisons_cover(name: str) -> None:
    rng, metric, shares = np.random.default_rng(22), METRICS[name], population(SIX)
    truth, hits = float(evaluate(name, shares)), 0
    for _ in range(150):
        view = sampled(shares, rng, 500)
        low, high = gap_interval(metric, [view.rate(rate) for rate in metric.rates], 0.95)
        hits += low <= truth <= high
    assert hits / 150 >= 0.93


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("demographic_parity_difference", 2),
        ("equal_opportunity_difference", 6),
        ("equalized_odds_difference", 3),
        ("precision_difference", 2),
        ("demographic_parity_ratio", 3),
    ],
)
def test_permutation_p_values_are_uniform_without_a_gap(name: str, groups: int) -> None:
    rng, shares = np.random.default_rng(23), population([0.5] * groups)
    p = np.array([gap_p_value(METRICS[name], sampled(shares, rng, 200)) for _ in range(250)])
    assert 0.02 <= np.mean(p <= 0.05) <= 0.09
    # Ties between tables make the test somewhat conservative: the mean is 0.5 plus half the chance of a tie.
    assert 0.44 <= p.mean() <= 0.60
    assert 0.38 <= np.mean(p <= 0.5) <= 0.57


@pytest.mark.parametrize(
    ("name", "stratum"),
    [
        ("demographic_parity_difference", None),
        ("accuracy_score_difference", None),
        ("true_positive_rate_difference", 0),
        ("precision_difference", 1),
    ],
)
def test_permutation_p_value_is_that_of_shuffled_records(name: str, stratum: int | None) -> None:
    counts = np.array([[[40, 12], [9, 20]], [[15, 9], [25, 30]]])
    codes, label, decision = np.unravel_index(np.repeat(np.arange(8), counts.ravel()), (2, 2, 2))
    rng = np.random.default_rng(27)
    view = GroupSample(Sample(label == 1, decision == 1), codes, 2, 8000, rng)
    observed, reached = float(evaluate(name, counts.astype(float))), 0
    kind = np.zeros_like(codes) if stratum is None else (label, decision)[stratum]
    for _ in range(3000):
        shuffled = codes.copy()
        for value in (0, 1):
            shuffled[kind == value] = rng.permutation(codes[kind == value])
        drawn = cell_counts(shuffled, label == 1, decision == 1, 2)
        reached += float(evaluate(name, drawn)) >= observed - 1e-12
    assert 0.001 < reached / 3000 < 0.9
    assert gap_p_value(METRICS[name], view) == pytest.approx(reached / 3000, abs=0.035)


def test_permutation_test_finds_a_gap() -> None:
    rng, shares = np.random.default_rng(24), population([0.5, 0.75])
    p = [gap_p_value(METRICS["equal_opportunity_difference"], sampled(shares, rng, 200)) for _ in range(20)]
    assert max(p) < 0.05


def joint_population(rates: list[float], up: list[float], down: list[float]) -> np.ndarray:
    joint = np.empty((len(rates), 2, 2, 2))
    for group, (rate, gain, loss) in enumerate(zip(rates, up, down, strict=True)):
        for label, p in ((0, rate / 2), (1, rate)):
            joint[group, label] = 0.5 * np.array([[(1 - p) * (1 - gain), (1 - p) * gain], [p * loss, p * (1 - loss)]])
    return joint


def paired(shares: np.ndarray, rng: np.random.Generator, n_resamples: int) -> PairedSample:
    counts = np.array([rng.multinomial(N, s.ravel()) for s in shares]).reshape(shares.shape)
    codes, label, before, after = np.unravel_index(np.repeat(np.arange(counts.size), counts.ravel()), counts.shape)
    sides = [Sample(label == 1, decided == 1) for decided in (before, after)]
    return PairedSample(sides[0], sides[1], codes, len(shares), n_resamples, rng)


@pytest.mark.parametrize(
    ("rates", "up", "down"),
    [
        pytest.param([0.5, 0.7], [0.1, 0.0], [0.0, 0.1], id="2 groups, gap narrows"),
        pytest.param([0.5, 0.7], [0.05, 0.05], [0.05, 0.05], id="2 groups, much noise"),
        pytest.param([0.5] * 6, [0.03] * 6, [0.03] * 6, id="6 groups, nothing changes"),
        pytest.param([0.3, 0.7, 0.5, 0.5, 0.5, 0.6], [0.2, 0, 0, 0, 0, 0], [0.0] * 6, id="6 groups, gap narrows"),
    ],
)
def test_change_intervals_cover(rates: list[float], up: list[float], down: list[float]) -> None:
    rng, metric, shares = (
        np.random.default_rng(25),
        METRICS["equal_opportunity_difference"],
        joint_population(rates, up, down),
    )
    before, after = (float(evaluate(metric.name, side)) for side in before_and_after(shares))
    hits = 0
    for _ in range(200):
        change = paired_change(metric, paired(shares, rng, 400), 0.95)
        hits += change.low <= after - before <= change.high
    assert hits / 200 >= 0.93


def test_a_real_change_is_told_from_noise_far_below_the_gaps_own() -> None:
    rng, metric = np.random.default_rng(26), METRICS["equal_opportunity_difference"]
    narrowed = joint_population([0.5, 0.7], [0.15, 0.0], [0.0, 0.05])
    same = joint_population([0.5, 0.7], [0.02, 0.02], [0.02, 0.02])
    real = [paired_change(metric, paired(narrowed, rng, 400), 0.95) for _ in range(20)]
    none = [paired_change(metric, paired(same, rng, 400), 0.95) for _ in range(100)]
    assert all(change.signed_high < 0 and change.p_value < 0.05 for change in real)
    assert np.mean([change.signed_low > 0 or change.signed_high < 0 for change in none]) <= 0.1
    assert np.mean([change.p_value <= 0.05 for change in none]) <= 0.1


@pytest.mark.parametrize(
    ("rates", "up", "down"),
    [
        pytest.param([0.5, 0.5], [0.06, 0.0], [0.06, 0.0], id="no gap before or after"),
        pytest.param([0.5, 0.55], [0.1, 0.0], [0.0, 0.0], id="a small gap closes"),
        pytest.param([0.5, 0.55], [0.15, 0.0], [0.0, 0.0], id="a small gap is turned round"),
        pytest.param([0.5, 0.58], [0.16, 0.0], [0.0, 0.0], id="a gap closes wholly"),
        pytest.param([0.5, 0.58], [0.16, 0.0], [0.0, 0.138], id="a gap is only turned round"),
        pytest.param([0.5, 0.5], [0.1, 0.0], [0.0, 0.1], id="a gap opens"),
        pytest.param([0.3, 0.8], [0.0, 0.0], [0.0, 0.05], id="a large gap narrows a little"),
    ],
)
def test_intervals_of_changes_of_size_cover_where_two_groups_may_change_places(
    rates: list[float], up: list[float], down: list[float]
) -> None:
    metric = METRICS["equal_opportunity_difference"]
    rng, shares = np.random.default_rng(1), joint_population(rates, up, down)
    before, after = (float(evaluate(metric.name, side)) for side in before_and_after(shares))
    found = [paired_change(metric, paired(shares, rng, 400), 0.95) for _ in range(300)]
    assert np.mean([change.low <= after - before <= change.high for change in found]) >= 0.93


def test_where_it_is_clear_who_is_ahead_the_interval_of_the_size_is_the_signed_one() -> None:
    rng, metric = np.random.default_rng(30), METRICS["equal_opportunity_difference"]
    for _ in range(10):
        change = paired_change(metric, paired(joint_population([0.3, 0.8], [0, 0], [0, 0.05]), rng, 400), 0.95)
        assert (change.low, change.high) == (change.signed_low, change.signed_high)


def test_the_plain_interval_of_a_size_does_not_cover_where_groups_may_change_places() -> None:
    """Subtracting sizes in every resample forgets which way round the groups may be in truth."""
    rng, metric = np.random.default_rng(29), METRICS["equal_opportunity_difference"]
    shares = joint_population([0.5, 0.55], [0.1, 0.0], [0.0, 0.0])
    before, after = (float(evaluate(metric.name, side)) for side in before_and_after(shares))
    hits = 0
    for _ in range(200):
        sides = before_and_after(paired(shares, rng, 400).drawn)
        drawn = evaluate(metric.name, sides[1]) - evaluate(metric.name, sides[0])
        low, high = np.quantile(drawn, [0.025, 0.975])
        hits += low <= after - before <= high
    assert hits / 200 < 0.93


SPARSE = {
    "100 selected against 6": [(2000, 0.05, 0.9, 0.1), (100, 0.06, 0.75, 0.1)],
    "100 selected against 4": [(2000, 0.05, 0.95, 0.1), (60, 0.06, 0.6, 0.1)],
    "1,000 selected against 5": [(5000, 0.2, 0.95, 0.1), (100, 0.05, 0.5, 0.1)],
    "30 flagged against 10": [(3000, 0.01, 0.8, 0.01), (1000, 0.01, 0.5, 0.01)],
    "30 flagged, all of them rightly, against 10": [(3000, 0.01, 1.0, 0.01), (1000, 0.01, 0.8, 0.01)],
    "a group of 15": [(2000, 0.3, 0.7, 0.2), (15, 0.4, 0.7, 0.2)],
}
"""Of each group: records, share selected, precision, and share of favourable labels among the others."""


def selected(groups: list[tuple[int, float, float, float]]) -> np.ndarray:
    rows = [[[(1 - q) * (1 - b), q * (1 - p)], [(1 - q) * b, q * p]] for _, q, p, b in groups]
    return np.array(rows)


@pytest.mark.parametrize("name", ["precision_difference", "equal_opportunity_difference"])
@pytest.mark.parametrize("groups", SPARSE.values(), ids=SPARSE)
def test_intervals_of_gaps_between_few_records_cover(name: str, groups: list[tuple[int, float, float, float]]) -> None:
    rng, metric, shares = np.random.default_rng(28), METRICS[name], selected(groups)
    (rate,) = metric.rates
    true = group_rate(rate, shares)
    hits, defined = 0, 0
    for _ in range(400):
        counts = np.array([rng.multinomial(n, s.ravel()) for (n, *_), s in zip(groups, shares, strict=True)])
        codes, label, decision = np.unravel_index(np.repeat(np.arange(8), counts.ravel()), (2, 2, 2))
        view = GroupSample(Sample(label == 1, decision == 1), codes, 2, 300, rng)
        low, high = gap_interval(metric, [view.rate(rate)], 0.95)
        first, second = view.values(rate)
        truth = true[0] - true[1] if first >= second else true[1] - true[0]
        defined += not np.isnan(low)
        hits += bool(low - 1e-12 <= truth <= high + 1e-12)
    assert hits / defined >= 0.93


def test_an_interval_that_smoothing_turns_is_that_of_the_difference_shown() -> None:
    """5 of 5 against 95 of 100 is a gap of 0.05; with a record added right and wrong to each, the small group is the worse one."""
    counts = np.array([[[0, 0], [0, 5]], [[0, 5], [0, 95]]])
    codes, label, decision = np.unravel_index(np.repeat(np.arange(8), counts.ravel()), (2, 2, 2))
    for turn in (codes, 1 - codes):
        view = GroupSample(Sample(label == 1, decision == 1), turn, 2, 2000, np.random.default_rng(0))
        low, high = gap_interval(METRICS["precision_difference"], [view.rate("precision")], 0.95)
        assert -0.5 < low < -0.2 < 0.05 < high < 0.25
