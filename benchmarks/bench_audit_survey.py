"""How long does an audit of a weighted survey take, within strata and against a reference group? Printed in seconds of a processor.

Seven metrics, ten groups, three strata, 100,000 weighted rows; every rate, gap, pooled gap and pair with its interval and test. The same
without weights, without strata, and fairlearn's MetricFrame with `sample_params` and `control_features`, without any interval, beside it.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import sklearn.metrics as skm
from fairlearn import metrics as flm

from core.case.groups import Groups
from core.metrics.audit import N_RESAMPLES, audit_arrays
from core.metrics.catalog import metrics_of
from core.metrics.samples import Sample

METRICS = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "false_positive_rate_difference",
    "equalized_odds_difference",
    "precision_difference",
    "accuracy_score_difference",
)
RATES: dict[str, Callable[..., Any]] = {
    "selection_rate": flm.selection_rate,
    "true_positive_rate": flm.true_positive_rate,
    "false_positive_rate": flm.false_positive_rate,
    "precision": skm.precision_score,
    "accuracy": skm.accuracy_score,
}


def make(n: int, seed: int) -> tuple[Sample, Groups, Groups]:
    rng = np.random.default_rng(seed)
    race = Groups("race", tuple("abcdefghij"), rng.integers(0, 10, n).astype(np.int32))
    job = Groups("job", ("low", "mid", "high"), rng.integers(0, 3, n).astype(np.int32))
    label = rng.random(n) < 0.3 + 0.1 * job.codes
    decision = rng.random(n) < np.where(label, 0.7, 0.2)
    return Sample(label, decision, weight=rng.lognormal(0.0, 0.7, n)), race, job


def seconds(call: Callable[[], Any], repeats: int) -> float:
    took = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        took.append(time.process_time() - start)
    return float(np.median(took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    sample, race, job = make(options.records, 0)
    chosen = metrics_of(METRICS)

    def audited(one: Sample, **more: Any) -> Any:
        return audit_arrays(one, [race], chosen, **more)

    def framed() -> Any:
        frame = flm.MetricFrame(
            metrics=RATES,
            y_true=sample.label.astype(int),
            y_pred=sample.decision.astype(int),
            sensitive_features=race.codes,
            control_features=job.codes,
            sample_params={name: {"sample_weight": sample.weight} for name in RATES},
        )
        return frame.by_group, frame.difference(), frame.ratio()

    report = audited(sample, control=job, reference={"race": "a"})
    assert report.strata is not None
    error = max(np.abs(report.strata.by_group[name].to_numpy() - framed()[0][name].to_numpy()).max() for name in RATES)
    rows = {
        "weights, strata, reference": seconds(
            lambda: audited(sample, control=job, reference={"race": "a"}), options.repeats
        ),
        "weights, strata": seconds(lambda: audited(sample, control=job), options.repeats),
        "weights": seconds(lambda: audited(sample), options.repeats),
        "neither": seconds(lambda: audited(replace(sample, weight=None)), options.repeats),
        "MetricFrame, no intervals": seconds(framed, options.repeats),
    }
    print(
        f"{options.records:,} rows, 7 metrics, 10 groups, 3 strata, {N_RESAMPLES:,} resamples, median of {options.repeats}"
    )
    for name, took in rows.items():
        print(f"{name:<28} {took:8.3f} s")
    print(f"largest difference of a rate from MetricFrame's within strata: {error:.1e}")


if __name__ == "__main__":
    main()
