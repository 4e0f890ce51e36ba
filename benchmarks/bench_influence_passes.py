"""What does the influence of every training record on a gap cost, counted in prediction passes over train and explore?

A pass is the fitted model's own `predict_proba` of all training and explore rows. Cases are prepared before (their own line of cost), as pages
do; the rest is one call of `core.influence` on a case that remembers nothing of earlier ones but its explore scores, the explore rows being
routed through the trees anew each time.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from bench_boosting_removal import make_case, synthetic, timed
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import core
from core.families.registry import family_of

GAP = "equal_opportunity_difference"


def models(names: list[str], trees: int) -> dict[str, Callable[[], Any]]:
    makers: dict[str, Callable[[], Any]] = {
        "logistic": lambda: LogisticRegression(solver="newton-cholesky", tol=1e-10),
        "boosting": lambda: HistGradientBoostingClassifier(max_iter=trees, early_stopping=False),
        "forest": lambda: RandomForestClassifier(trees, random_state=0, n_jobs=os.cpu_count()),
        "forest10": lambda: RandomForestClassifier(trees, max_depth=10, random_state=0, n_jobs=os.cpu_count()),
    }
    return {name: makers[name] for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=["logistic", "boosting", "forest", "forest10"])
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"threads: {os.environ.get('OMP_NUM_THREADS', os.cpu_count())}, {options.repeats} repeats, medians")
    small, columns = synthetic(4500, 1)
    table, _ = synthetic(options.rows + 4000, options.seed)
    for name, make in models(options.families, options.trees).items():
        core.influence(core.prepare(make_case(models([name], 3)[name](), small, columns)), GAP)
        fit, case = timed(lambda make=make: make_case(make(), table, columns))
        preparation, case = timed(lambda case=case: core.prepare(case, method="auto"))
        own = family_of(case.model).unlearner
        rows = pd.concat([case.X_train, case.X_test.iloc[case.rows("explore")]])
        seconds, passes = [], []
        for _ in range(options.repeats):
            passes.append(timed(lambda case=case, rows=rows: case.model.predict_proba(rows))[0])
            fresh = case.replace(case.model, case.retained, {own.name: own.prepare(case)})
            fresh.scores("explore")
            seconds.append(timed(lambda fresh=fresh: core.influence(fresh, GAP))[0])
        cost, one = float(np.median(seconds)), float(np.median(passes))
        aim = (
            "" if name == "logistic" else " (aim: at most 3)"
        )  # its own is counted in Newton iterations, by bench_influence
        print(
            f"{name:<9} n = {case.n_retained:,} + {len(case.rows('explore')):,}, d = {len(columns)}: influence {1e3 * cost:7.1f} ms, "
            f"one pass {1e3 * one:7.1f} ms, ratio {cost / one:5.2f}{aim}; fit and case {fit:.1f} s, preparation {preparation:.2f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
