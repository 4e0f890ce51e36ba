"""How much faster is an audit with 2,000 resamples than the MetricFrame of fairlearn with 100? Printed as a ratio.

Both get the same decisions on 50,000 records, the same seven rates, two sensitive features and their intersection, and give
intervals for every rate, difference and ratio; the audit adds permutation p-values. MetricFrame's time grows in proportion to
n_boot, so by default it is timed at two small values and the line through them read off at 100; ``--full`` runs all 100 (minutes).
"""

from __future__ import annotations

import argparse
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


def seconds(call: Callable[[], Any], repeats: int = 1) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="run all 100 of MetricFrame's resamples")
    full = parser.parse_args().full
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    sex = Groups("sex", ("f", "m"), rng.choice(2, N, p=[0.4, 0.6]).astype(np.int32))
    race = Groups("race", tuple("abcde"), rng.choice(5, N, p=[0.5, 0.2, 0.15, 0.1, 0.05]).astype(np.int32))
    label = rng.random(N) < 0.4
    decision = rng.random(N) < np.where(label, 0.7, 0.2)

    groups = [sex, race, intersect([sex, race])]
    sample, chosen = Sample(label, decision), metrics_of(METRICS)
    audit_arrays(sample, groups, chosen)
    ours = seconds(lambda: audit_arrays(sample, groups, chosen), 9)

    y_true, y_pred = label.astype(int), decision.astype(int)
    features = ({"sex": sex.codes}, {"race": race.codes}, {"sex": sex.codes, "race": race.codes})

    def frames(n_boot: int) -> None:
        for sensitive in features:
            frame = flm.MetricFrame(
                metrics=RATES,
                y_true=y_true,
                y_pred=y_pred,
                sensitive_features=sensitive,
                n_boot=n_boot,
                ci_quantiles=[0.025, 0.975],
                random_state=0,
            )
            frame.by_group_ci, frame.difference_ci(), frame.ratio_ci()

    if full:
        theirs = seconds(lambda: frames(N_BOOT))
        how = "run"
    else:
        few, more = seconds(lambda: frames(1)), seconds(lambda: frames(4))
        theirs = few + (more - few) / 3 * (N_BOOT - 1)
        how = "extrapolated from n_boot = 1 and 4"
    print(f"{N:,} records, 7 rates with their differences and ratios, 2 sensitive features and their intersection")
    print(f"MetricFrame, n_boot = {N_BOOT}:        {theirs:10.3f} s ({how})")
    print(f"audit, n_resamples = {N_RESAMPLES:,}:     {ours:10.3f} s (median of 9, p-values included)")
    print(f"ratio:                           {theirs / ours:10,.0f} x, at {N_RESAMPLES // N_BOOT} times the resamples")


if __name__ == "__main__":
    main()
