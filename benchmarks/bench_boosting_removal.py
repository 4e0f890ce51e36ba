"""How much faster is refitting the leaves of gradient boosting than fitting it again, and how near does it come?

The records removed are the 5% that `core.influence` ranks first on the selection rate, and as many drawn at random. Beside the times
stand the mean differences of test scores to the refit: of the model with refitted leaves, of the untouched one, and of a refit without one
more record, drawn at random, which is how far the refit is from itself. `--decompose` keeps the model's bins, takes the first trees' splits
from the refit and refits all leaves: what of the error the splits of those trees account for. Times are medians on the threads that
OpenMP is given; the leaves are refitted, and the splits checked, on one.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

import core
from core.families.boosting.booster import BoostingRows
from core.families.boosting.hist import HistBooster
from core.unlearning.refit import fit_again

D = 40
SHARE = 0.05
N_TEST = 4000


def synthetic(n: int, seed: int) -> tuple[pd.DataFrame, list[str]]:
    X, y = make_classification(n, D, n_informative=15, flip_y=0.05, random_state=seed)
    columns = [f"x{index}" for index in range(D)]
    group = np.where(np.random.default_rng(seed).random(n) < 0.5, "a", "b")
    return pd.DataFrame(X, columns=columns).assign(label=y, group=group), columns


def adult(path: Path, n: int, seed: int) -> tuple[pd.DataFrame, list[str]]:
    table = pd.read_parquet(path).sample(n, random_state=seed).reset_index(drop=True)
    columns = [name for name in table.columns if name not in ("income", "split")]
    coded = {
        name: table[name] if pd.api.types.is_numeric_dtype(table[name]) else table[name].astype("category").cat.codes
        for name in columns
    }
    label = (table["income"].astype(str) == ">50K").astype(int)
    numbers = pd.DataFrame(coded).astype(float).fillna(-1.0)
    return numbers.assign(label=label, group=table["sex"].astype(str)), columns


def make_case(model: Any, table: pd.DataFrame, columns: list[str]) -> core.Case:
    train, test = table.iloc[:-N_TEST].reset_index(drop=True), table.iloc[-N_TEST:].reset_index(drop=True)
    fitted = model.fit(train[columns], train["label"])
    return core.Case(fitted, train=train, test=test, roles=core.Roles("label", 1, 1, ["group"], features=columns))


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def report(case: core.Case, what: str, ids: Any, repeats: int, refits: int) -> None:
    runs = [timed(lambda: core.unlearn(case, ids, method="leaf_refit")) for _ in range(repeats)]
    done = runs[0][1].case
    again = [timed(lambda: fit_again(case, done.retained)) for _ in range(refits)]
    removal, refit = (float(np.median([seconds for seconds, _ in one])) for one in (runs, again))
    truth = again[0][1][0].predict_proba(case.X_test)[:, case.pos_column]
    fewer = done.retained.copy()
    fewer[np.random.default_rng(0).choice(np.flatnonzero(fewer))] = False
    twin = fit_again(case, fewer)[0].predict_proba(case.X_test)[:, case.pos_column]
    error, untouched, itself = (
        float(np.abs(one - truth).mean()) for one in (done.scores("test"), case.scores("test"), twin)
    )
    splits = core.check_splits(done)
    print(
        f"  {what:<32} {len(ids):>6,} records: leaves {1e3 * removal:7.1f} ms (n={repeats}), refit {refit:6.2f} s (n={refits}), "
        f"{refit / removal:6.1f} times faster; mean score error {error:.4f}, untouched {untouched:.4f}, ratio {error / untouched:.2f} "
        f"(refit without one more: {itself / untouched:.2f}); {splits.n_changed:,} of {splits.n_splits:,} splits not the best, {splits.seconds:.2f} s"
    )


def decompose(case: core.Case, ids: Any, stages: tuple[int, ...] = (0, 3, 10, 20, 50, 80, 100)) -> None:
    """Print the error left when the first trees have the splits of a refit on the same bins."""
    retained = case.retained.copy()
    retained[case.positions(ids)] = False
    mapper, y = case.model._bin_mapper, case.train_labels
    X, X_test = (mapper.transform(np.ascontiguousarray(one)).astype(float) for one in (case.X_train, case.X_test))
    before = clone(case.model).fit(X, y)
    after = clone(case.model).fit(X[retained], y[retained])
    truth = fit_again(case, retained)[0].predict_proba(case.X_test)[:, 1]
    untouched = np.abs(case.scores("test") - truth).mean()
    left = []
    for n in stages:
        mixed = copy.copy(before)
        mixed._predictors = after._predictors[:n] + before._predictors[n:]
        booster = HistBooster(mixed)
        forest = booster.forest()
        rows = BoostingRows(booster.route(X), case.train_codes.astype(np.intp), np.ones(len(y), dtype=bool))
        leaves = booster.refit(forest, rows, retained, case.train_codes, None)
        scores = booster.with_leaves(forest, leaves).predict_proba(X_test)[:, 1]
        left.append(f"{n}: {np.abs(scores - truth).mean() / untouched:.2f}")
    print(f"    error over the untouched model's when so many trees have the refit's splits: {', '.join(left)}")


def compare(name: str, model: Any, table: pd.DataFrame, columns: list[str], options: argparse.Namespace) -> None:
    case = make_case(model, table, columns)
    preparation, case = timed(lambda: core.prepare(case, method="leaf_refit"))
    seconds, effects = timed(lambda: core.influence(case, "selection_rate"))
    print(
        f"\n{type(model).__name__} on {name}: n = {case.n_retained:,}, d = {len(columns)}, {options.stages} stages; "
        f"preparation, once, {1e3 * preparation:.0f} ms; influence of all records {1e3 * seconds:.0f} ms"
    )
    k = round(SHARE * case.n_retained)
    refits = options.refits if isinstance(model, HistGradientBoostingClassifier) else 1
    for what, order in (("either way", effects.abs()), ("lowering it", effects)):
        ids = order.sort_values().index[-k:]
        report(case, f"most influential ({what})", ids, options.repeats, refits)
        if options.decompose and isinstance(model, HistGradientBoostingClassifier):
            decompose(case, ids)
    drawn = np.random.default_rng(options.seed).choice(case.n_retained, k, replace=False)
    report(case, "drawn at random", case.record_ids[drawn], options.repeats, refits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, help="adult.parquet; left out, the synthetic table alone")
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--stages", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--refits", type=int, default=3)
    parser.add_argument("--classic", action="store_true", help="GradientBoostingClassifier too: minutes for each refit")
    parser.add_argument("--decompose", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warm, columns = synthetic(500 + N_TEST, 1)
    small = make_case(HistGradientBoostingClassifier(max_iter=2), warm, columns)
    core.influence(core.unlearn(small, [0], method="leaf_refit").case, "selection_rate")
    core.check_splits(small)
    print(f"threads: {os.environ.get('OMP_NUM_THREADS', os.cpu_count())}")
    tables = {"make_classification": synthetic(options.rows + N_TEST, options.seed)}
    if options.data:
        tables["Adult"] = adult(options.data, options.rows + N_TEST, options.seed)
    for name, (table, columns) in tables.items():
        models = [HistGradientBoostingClassifier(max_iter=options.stages, early_stopping=False)]
        if options.classic:
            models.append(GradientBoostingClassifier(n_estimators=options.stages, random_state=options.seed))
        for model in models:
            compare(name, model, table, columns, options)


if __name__ == "__main__":
    main()
