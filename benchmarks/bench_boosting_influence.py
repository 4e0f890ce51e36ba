"""How well does what `core` predicts for boosting agree with removing the records and with training again?

Single records: their influence through the stages against the smooth metric of a leaf refit and of a refit without each. Groups named by
one or two conditions, each with 0.5% to 5% of the rows: the sum of their records' influence (also against leaf refits), and the prediction
of the whole group (`core.group_changes`: a leaf refit for each), against refits, for a metric on scores and for gaps in decisions. How far
two refits agree that differ by one random record says what any prediction can reach. Figures are Spearman's and Pearson's correlations.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from bench_boosting_removal import adult, make_case, synthetic
from scipy.stats import pearsonr, spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier

import core
from core.attribution.outcome import Outcome
from core.attribution.smooth import SmoothMetric, predictors
from core.unlearning.refit import fit_again

METRICS = ("log_loss", "demographic_parity_difference", "equal_opportunity_difference")
SMALLEST, LARGEST = 0.005, 0.05

Mask = npt.NDArray[np.bool_]


def groups_of(table: pd.DataFrame, columns: list[str], n: int, seed: int) -> list[Mask]:
    """Draw groups named by a range of one column, a label and half of the time a sensitive group."""
    draw, found = np.random.default_rng(seed), []
    while len(found) < n:
        values = table[draw.choice(columns)].to_numpy()
        low, high = np.quantile(values, np.sort(draw.random(2)))
        mask = (values >= low) & (values <= high) & (table["label"] == draw.integers(2)).to_numpy()
        if draw.random() < 0.5:
            mask &= (table["group"] == draw.choice(table["group"].unique())).to_numpy()
        if SMALLEST <= mask.mean() <= LARGEST:
            found.append(mask)
    return found


def scores_of_refit(case: core.Case, retained: Mask) -> npt.NDArray[np.float64]:
    model, _ = fit_again(case, retained)
    return np.asarray(model.predict_proba(case.X_test.iloc[case.rows("explore")])[:, case.pos_column])


def without(case: core.Case, gone: Mask, seed: int | None = None) -> Mask:
    left = case.retained & ~gone
    if seed is not None:
        left[np.random.default_rng(seed).choice(np.flatnonzero(left))] = False
    return left


def agreement(one: Any, other: Any) -> str:
    return f"{spearmanr(one, other).statistic:5.2f} / {pearsonr(one, other).statistic:5.2f}"


def single_records(case: core.Case, n: int, n_refits: int, seed: int) -> None:
    rows = np.random.default_rng(seed).choice(case.n_retained, n, replace=False)
    kept = [core.unlearn(case, [case.record_ids[row]], method="leaf_refit").case.scores("explore") for row in rows]
    again = [scores_of_refit(case, without(case, np.arange(len(case.retained)) == row)) for row in rows[:n_refits]]
    for metric in METRICS:
        smooth = SmoothMetric.of(case, metric, "group", "explore")
        effects = core.influence(case, metric).to_numpy()[rows]
        by_leaves, by_refit = (np.array([smooth.value(predictors(one)) for one in some]) for some in (kept, again))
        print(
            f"  {metric:<32} leaf refit {agreement(effects, by_leaves)} (n={n}), refit {agreement(effects[:n_refits], by_refit)} (n={n_refits})"
        )


def rule_groups(case: core.Case, groups: list[Mask], seed: int) -> None:
    again = np.array([scores_of_refit(case, without(case, group)) for group in groups])
    twin = np.array([scores_of_refit(case, without(case, group, seed)) for group in groups])
    for metric in METRICS:
        start = time.perf_counter()
        predicted = core.group_changes(case, [case.record_ids[group] for group in groups], metric=metric, on="explore")
        seconds = time.perf_counter() - start
        effects = core.influence(case, metric).to_numpy()
        summed = np.array([effects[group].sum() for group in groups])
        outcome = Outcome.of(case, metric, "group", "explore")
        truth, other = (outcome.values(scores) - outcome.value() for scores in (again, twin))
        print(
            f"  {metric:<32} summed {agreement(summed, truth)} (leaf refit {agreement(summed, predicted)}), whole group {agreement(predicted, truth)}, "
            f"another refit {agreement(other, truth)}; {1e3 * seconds / len(groups):.0f} ms a group"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, help="adult.parquet; left out, the synthetic table alone")
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--stages", type=int, default=100)
    parser.add_argument("--groups", type=int, default=40)
    parser.add_argument("--records", type=int, default=100)
    parser.add_argument("--refits", type=int, default=20, help="single records that are also removed by training again")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tables = {"make_classification": synthetic(options.rows + 4000, options.seed)}
    if options.data:
        tables["Adult"] = adult(options.data, options.rows + 4000, options.seed)
    for name, (table, columns) in tables.items():
        model = HistGradientBoostingClassifier(max_iter=options.stages, early_stopping=False)
        case = core.prepare(make_case(model, table, columns), method="leaf_refit")
        print(f"\n{name}, n = {case.n_retained:,}, {options.stages} stages; Spearman / Pearson")
        print(" single records, smooth metric: influence against")
        single_records(case, options.records, options.refits, options.seed)
        print(
            f" {options.groups} groups of {SMALLEST:.1%} to {LARGEST:.0%}, the metric itself: predictions against refits"
        )
        groups = groups_of(case.train, columns, options.groups, options.seed)
        core.group_changes(case, [case.record_ids[groups[0]]], metric="log_loss")
        rule_groups(case, groups, options.seed)


if __name__ == "__main__":
    main()
