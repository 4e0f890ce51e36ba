"""How much faster is removing records from a logistic regression than the faster of scikit-learn's own refits?

The pipeline is StandardScaler + LogisticRegression on d columns; both sides refit the whole pipeline. Refits run with
lbfgs and newton-cholesky at their default tolerance and the faster is the yardstick. Every removal is a call of `core.unlearn`,
new pipeline included, with the certified relative distance it was asked for; the true relative distance to a tight solve (tol=1e-13)
stands beside it.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.families.logistic.unlearner import Newton
from core.unlearning.linear.objective import coefficients

SOLVERS = ("lbfgs", "newton-cholesky")
REQUESTS = ((1, 1e-4, 100), (1, 1e-8, None), (0.01, 1e-6, 5), (0.1, 1e-6, 2))
"""Rows (a share where below 1), certified relative distance, and the ratio aimed at."""


def make_case(n: int, seed: int, d: int, n_classes: int) -> core.Case:
    X, y = make_classification(n + 2000, d, n_informative=15, n_classes=n_classes, flip_y=0.05, random_state=seed)
    columns = [f"x{index}" for index in range(d)]
    table = pd.DataFrame(X, columns=columns).assign(
        label=y, group=np.where(np.random.default_rng(seed).random(n + 2000) < 0.5, "a", "b")
    )
    train, test = table.iloc[:n].reset_index(drop=True), table.iloc[n:].reset_index(drop=True)
    model = pipeline("newton-cholesky", tol=1e-12).fit(train[columns], train["label"])
    return core.Case(model, train=train, test=test, roles=core.Roles("label", 1, 1, ["group"]))


def pipeline(solver: str, **options: Any) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(solver=solver, **options))


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def refit_times(case: core.Case, retained: np.ndarray, repeats: int) -> dict[str, float]:
    table, labels = case.X_train[retained], case.train_labels[retained]
    found = {}
    for solver in SOLVERS:
        times = [timed(lambda solver=solver: pipeline(solver).fit(table, labels))[0] for _ in range(repeats)]
        found[solver] = float(np.median(times))
    return found


def true_distance(case: core.Case, result: core.UnlearnResult) -> float:
    retained = result.case.retained
    tight = coefficients(
        pipeline("newton-cholesky", tol=1e-13, max_iter=100).fit(case.X_train[retained], case.train_labels[retained])
    )
    return float(np.linalg.norm(coefficients(result.case.model) - tight) / np.linalg.norm(tight))


def report(case: core.Case, rows: float, tolerance: float, aim: float | None, repeats: int) -> None:
    n = case.n_retained
    k = int(rows) if rows >= 1 else round(rows * n)
    draw = np.random.default_rng(k)
    removals = 15 * repeats if k == 1 else repeats
    times, bounds, errors, passes = [], [], [], []
    for index in range(removals):
        ids = draw.choice(n, k, replace=False)
        seconds, result = timed(lambda ids=ids: core.unlearn(case, ids, tolerance=tolerance))
        times.append(seconds)
        bounds.append(result.relative_bound)
        passes.append(Newton().prepare(result.case).anchor.u is not Newton().prepare(case).anchor.u)
        if index < repeats:
            errors.append(true_distance(case, result))
    refits = refit_times(case, result.case.retained, repeats)
    quickest = min(refits, key=refits.__getitem__)
    ratio = refits[quickest] / float(np.median(times))
    goal = f"  (aim {aim}x)" if aim else ""
    print(
        f"{k:>7,} rows  certified {tolerance:.0e}: {1e3 * np.median(times):8.3f} ms (p95 {1e3 * np.quantile(times, 0.95):.3f}, n={removals}), "
        f"refit {' / '.join(f'{solver} {1e3 * refits[solver]:.1f} ms' for solver in SOLVERS)}, {ratio:6.1f} times faster{goal}"
    )
    print(
        f"{'':>14}largest certified distance {max(bounds):.1e}, largest true distance {max(errors):.1e}, "
        f"passes over the data in {np.mean(passes):.0%} of removals"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[40_000, 400_000], help="numbers of training rows")
    parser.add_argument("--columns", type=int, default=40, help="how many there are, at least 17")
    parser.add_argument("--classes", type=int, default=2, help="how many the label has")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    core.unlearn(make_case(2000, 1, options.columns, options.classes), [0], tolerance=1e-9)
    for n in options.sizes:
        case = make_case(n, options.seed, options.columns, options.classes)
        seconds, case = timed(lambda case=case: core.prepare(case))
        size = f"n = {n:,}, d = {options.columns}, classes: {options.classes}"
        print(f"\n{size}; preparation, once per case: {1e3 * seconds:.0f} ms")
        for rows, tolerance, aim in REQUESTS:
            report(case, rows, tolerance, aim if options.classes == 2 else None, options.repeats)


if __name__ == "__main__":
    main()
