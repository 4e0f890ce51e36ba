"""What does `core.unlearn(case, ids)` cost without a word of preparation: the first call, the next ones, and training again?

Logistic regression behind a StandardScaler (40,000 x 40) and a forest of 50 trees (20,000 x 40) on make_classification. From one
case the first record leaves, then others, each from that same case; beside them stand calls from a case that `core.prepare` was called
on, taken in turns, and scikit-learn's own refits, the faster of lbfgs and newton-cholesky for the logistic regression. `waited` is the wall time
around the call; `said` is what `result.seconds` says of it.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core

D = 40
COLUMNS = [f"x{index}" for index in range(D)]
SOLVERS = ("lbfgs", "newton-cholesky")
REQUESTS = ((1, 1e-4, 60), (1, 1e-6, 25), (0.01, 1e-6, 8), (0.1, 1e-6, 3))
"""Records (a share where below 1), certified relative distance, and how many times faster than a refit it is to be."""
FOREST_AIM = 150


def make_tables(n: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    X, y = make_classification(n + 2000, D, n_informative=15, flip_y=0.05, random_state=seed)
    group = np.where(np.random.default_rng(seed).random(n + 2000) < 0.5, "a", "b")
    table = pd.DataFrame(X, columns=COLUMNS).assign(label=y, group=group)
    return table.iloc[:n].reset_index(drop=True), table.iloc[n:].reset_index(drop=True)


def linear(solver: str = "newton-cholesky", **options: Any) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(solver=solver, **options))


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def case_of(model: Any, tables: tuple[pd.DataFrame, pd.DataFrame]) -> core.Case:
    return core.Case(model, *tables, roles=core.Roles("label", 1, 1, ["group"]))


def refit_seconds(make: Callable[[], Any], case: core.Case, repeats: int) -> float:
    rows, labels = case.X_train[case.retained], case.train_labels[case.retained]
    return float(np.median([timed(lambda: make().fit(rows, labels))[0] for _ in range(repeats)]))


def report(make_case: Callable[[], core.Case], k: int, repeats: int, refit: float, aim: float, **options: Any) -> None:
    """Remove from one case that nobody prepared, and in turns from one that was."""
    natural, ready = make_case(), core.prepare(make_case())
    draw, waited, prepared, said, seen = np.random.default_rng(k), [], [], [], []
    first = draw.choice(natural.n_retained, k, replace=False)
    paid, opening = timed(lambda: core.unlearn(natural, first, **options))
    for turn in range(repeats):
        ids = draw.choice(natural.n_retained, k, replace=False)
        both = [(natural, waited), (ready, prepared)]
        for case, times in both if turn % 2 else both[::-1]:
            seconds, result = timed(lambda case=case, ids=ids: core.unlearn(case, ids, **options))
            times.append(seconds)
            if case is natural:
                said.append(result.seconds)
                seen.append(result.seconds_prepare)
    middle, quick = float(np.median(waited)), float(np.median(prepared))
    what = f"{k:,} records" if k > 1 else "one record"
    at = f" at {options['tolerance']:.0e}" if "tolerance" in options else ""
    print(
        f"  {what}{at}: first call {1e3 * paid:.1f} ms (says {1e3 * opening.seconds:.1f}, {1e3 * opening.seconds_prepare:.1f} to prepare); "
        f"then {1e3 * middle:.2f} ms (says {1e3 * np.median(said):.2f}, {1e3 * max(seen):.1f} to prepare; n={repeats}), "
        f"{middle / quick:.2f} times the prepared call of {1e3 * quick:.2f} ms (aim 1.15); refit {1e3 * refit:.0f} ms: "
        f"{refit / middle:.0f} times faster (aim {aim:.0f})"
    )


def together(make_case: Callable[[], core.Case], threads: int = 8) -> None:
    """Let threads ask one fresh case at once, and say how many of them prepared it."""
    case, start, spent = make_case(), threading.Barrier(threads), [0.0] * threads
    results: list[Any] = [None] * threads

    def ask(number: int) -> None:
        start.wait()
        spent[number], results[number] = timed(lambda: core.unlearn(case, [number]))

    workers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    alone, _ = timed(lambda: core.prepare(make_case()))
    print(
        f"  {threads} threads on one fresh case: the last is served after {1e3 * max(spent):.0f} ms; "
        f"preparing once takes {1e3 * alone:.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000, help="of the logistic regression; the forest gets half")
    parser.add_argument("--trees", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=41)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    small = make_tables(2000, 1)
    for model in (linear(), RandomForestClassifier(2, random_state=0)):
        core.unlearn(case_of(model.fit(small[0][COLUMNS], small[0]["label"]), small), [0, 1])
    print(f"threads: {os.environ.get('OMP_NUM_THREADS', os.cpu_count())}; medians")

    tables = make_tables(options.rows, options.seed)
    fitted = linear(tol=1e-12).fit(tables[0][COLUMNS], tables[0]["label"])
    make = lambda: case_of(fitted, tables)  # noqa: E731
    refits = {solver: refit_seconds(lambda solver=solver: linear(solver), make(), 7) for solver in SOLVERS}
    print(
        f"\nlogistic regression, {options.rows:,} x {D}; "
        + ", ".join(f"{name} {1e3 * one:.0f} ms" for name, one in refits.items())
    )
    for rows, tolerance, aim in REQUESTS:
        k = int(rows) if rows >= 1 else round(rows * options.rows)
        report(make, k, options.repeats if k == 1 else 9, min(refits.values()), aim, tolerance=tolerance)
    together(make)

    tables = make_tables(options.rows // 2, options.seed)
    with joblib.parallel_config(n_jobs=2):
        forest = lambda: RandomForestClassifier(options.trees, random_state=options.seed, n_jobs=2)  # noqa: E731
        model = forest().fit(tables[0][COLUMNS], tables[0]["label"])
        make = lambda: case_of(model, tables)  # noqa: E731
        refit = refit_seconds(forest, make(), 2)
        print(f"\nforest of {options.trees} trees, {options.rows // 2:,} x {D}; refit with two jobs {refit:.2f} s")
        report(make, 1, options.repeats, refit, FOREST_AIM)
        together(make)


if __name__ == "__main__":
    main()
