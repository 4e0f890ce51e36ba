"""How much faster is an audit with 2,000 resamples than the MetricFrame of fairlearn with 100? Printed as a ratio.

Both get the same decisions on 50,000 records, the same seven rates, two sensitive features and their intersection, and give
intervals for every rate, difference and ratio; the audit adds permutation p-values. MetricFrame's time grows in proportion to
n_boot, so by default it is timed at two small values and the line through them read off at 100; ``--full`` runs all 100 (minutes).
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.metrics as skm
from fairlearn import metrics as flm

from core.case.groups import Groups, intersect
from core.metrics.audit import N_RESAMPLES, audit_arrays
from core.metrics.catalog import metrics_of
from core.metrics.samples import Sample

N = 50_000
N_BOOT = 100
RATES = {
    "selection_rate": flm.selection_rate,
    "true_positive_rate": flm.true_positive_rate,
    "false_positive_rate": flm.false_positive_rate,
    "true_negative_rate": flm.true_negative_rate,
    "false_negative_rate": flm.false_negative_rate,
    "accuracy": skm.accuracy_score,
    "precision": skm.precision_score,
}
COMPARED = (
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "true_negative_rate",
    "false_negative_rate",
    "accuracy_score",
    "precision",
)
METRICS = (*RATES, *(f"{name}_{kind}" for name in COMPARED for kind in ("difference", "ratio")))


def seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def make(n: int, seed: int) -> tuple[Sample, list[Groups]]:
    rng = np.random.default_rng(seed)
    sex = Groups("sex", ("f", "m"), rng.choice(2, n, p=[0.4, 0.6]).astype(np.int32))
    race = Groups("race", tuple("abcde"), rng.choice(5, n, p=[0.5, 0.2, 0.15, 0.1, 0.05]).astype(np.int32))
    label = rng.random(n) < 0.4
    return Sample(label, rng.random(n) < np.where(label, 0.7, 0.2)), [sex, race, intersect([sex, race])]


def frames(sample: Sample, groups: list[Groups], n_boot: int) -> list[flm.MetricFrame]:
    sex, race, _ = groups
    made = [
        flm.MetricFrame(
            metrics=RATES,
            y_true=sample.label.astype(int),
            y_pred=sample.decision.astype(int),
            sensitive_features=features,
            n_boot=n_boot,
            ci_quantiles=[0.025, 0.975],
            random_state=0,
        )
        for features in ({"sex": sex.codes}, {"race": race.codes}, {"sex": sex.codes, "race": race.codes})
    ]
    for frame in made:
        frame.by_group_ci, frame.difference_ci(), frame.ratio_ci()
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="run all 100 of MetricFrame's resamples")
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    sample, groups = make(options.records, options.seed)
    chosen = metrics_of(METRICS)
    compiling = seconds(lambda: audit_arrays(sample, groups, chosen))
    ours = float(np.median([seconds(lambda: audit_arrays(sample, groups, chosen)) for _ in range(options.repeats)]))

    if options.full:
        theirs, how = seconds(lambda: frames(sample, groups, N_BOOT)), "all run"
    else:
        few, more = seconds(lambda: frames(sample, groups, 1)), seconds(lambda: frames(sample, groups, 4))
        theirs, how = few + (more - few) / 3 * (N_BOOT - 1), "the line through n_boot = 1 and 4"
    report, exact = audit_arrays(sample, groups, chosen), frames(sample, groups, 1)
    error = max(
        np.abs(report.by_group.loc[name, list(RATES)].to_numpy() - frame.by_group[list(RATES)].to_numpy()).max()
        for name, frame in zip(("sex", "race", "sex & race"), exact, strict=True)
    )

    print(
        f"{options.records:,} records, 7 rates with differences and ratios, 2 sensitive features and their intersection"
    )
    print(f"threads                          {os.environ.get('OMP_NUM_THREADS', 'default'):>12}")
    print(f"MetricFrame, n_boot = {N_BOOT}        {theirs:12.3f} s  ({how})")
    print(f"audit, n_resamples = {N_RESAMPLES:,}     {ours:12.3f} s  (median of {options.repeats}; p-values included)")
    print(f"first audit (loads kernels)      {compiling:12.3f} s")
    print(f"largest difference of a rate     {error:12.1e}")
    print(f"ratio                            {theirs / ours:12,.0f} x at {N_RESAMPLES // N_BOOT} times the resamples")


if __name__ == "__main__":
    main()
