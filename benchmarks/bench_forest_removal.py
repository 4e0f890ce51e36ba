"""How much faster is removing records from a fitted random forest than scikit-learn's own refit?

Forests of 100 trees on make_classification (n = 40,000, d = 40, 15 informative, flip_y = 0.05), at unlimited depth and at depth 10,
and with `--adult` on the Adult census table with one-hot columns; both sides use two threads. Every removal is a call of
`core.unlearn` that gives a plain scikit-learn forest, written back in full; nothing is put off. The first removals are compared,
tree by tree, with building from scratch with the same randomness.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import joblib
import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

import core
from core.families.forest import steps
from core.families.forest.points import state_of
from core.families.forest.state import Grove
from core.families.forest.tree import LivingTree, first_difference
from core.numerics.trees.build import FEATURE, LEFT, RIGHT, ROWS, WEIGHT, build
from core.numerics.trees.draws import mixed
from core.unlearning import threads

D = 40
JOBS = 2
DEPTHS = (None, 10)
ROLES = core.Roles("label", 1, 1, ["group"])

Tables = tuple[pd.DataFrame, pd.DataFrame]


def make_tables(n: int, seed: int) -> Tables:
    X, y = make_classification(n + 1000, D, n_informative=15, flip_y=0.05, random_state=seed)
    table = pd.DataFrame(X, columns=[f"x{index}" for index in range(D)])
    table = table.assign(label=y, group=np.where(np.arange(len(y)) % 2, "a", "b"))
    return table.iloc[:n].reset_index(drop=True), table.iloc[n:].reset_index(drop=True)


def adult_tables(path: str) -> Tables:
    """Return the census table's own train and test parts, categories as one-hot columns."""
    table = pd.read_parquet(path)
    features = table.drop(columns=["income", "split"])
    coded = pd.get_dummies(features, dtype=float)
    coded = coded.assign(label=(table["income"] == ">50K").astype(int), group=table["sex"])
    train = (table["split"] == "train").to_numpy()
    return coded[train].reset_index(drop=True), coded[~train].reset_index(drop=True)


def features_of(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name not in ("label", "group")]


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def refit_time(model: Any, case: core.Case) -> float:
    rows = case.retained
    return timed(lambda: model.fit(case.X_train[rows], case.train_labels[rows]))[0]


def check(case: core.Case) -> int:
    """Return in how many trees a case differs from building from scratch."""
    oracle = state_of(case).from_scratch(case.retained)
    pairs = zip(state_of(case).trees, oracle.trees, strict=True)
    return sum(first_difference(tree.grown, other.grown) >= 0 for tree, other in pairs)


def report(case: core.Case, rows: float, repeats: int, make_model: Callable[[], Any], aims: str) -> None:
    n = case.n_retained
    k = int(rows) if rows >= 1 else round(rows * n)
    draw = np.random.default_rng(k)
    times, wrong = [], 0
    for index in range(repeats):
        ids = draw.choice(case.retained_ids, k, replace=False)
        seconds, result = timed(lambda ids=ids: core.unlearn(case, ids, method="forest"))
        times.append(seconds)
        wrong += check(result.case) if index == 0 else 0
    refit = refit_time(make_model(), result.case)
    middle, mean, late = 1e3 * np.median(times), 1e3 * np.mean(times), 1e3 * np.quantile(times, 0.95)
    print(
        f"{k:>6,} records: median {middle:8.1f} ms, mean {mean:8.1f}, p95 {late:8.1f} (n={repeats}); refit {1e3 * refit:8.0f} ms: "
        f"{1e3 * refit / middle:6.1f} / {1e3 * refit / mean:6.1f} times faster (aims {aims}); trees that differ from scratch: {wrong}"
    )


def rebuilding_time(before: LivingTree, after: LivingTree, grove: Grove) -> float:
    """Return the seconds it takes to build those subtrees again that a removal built again: where the feature changed."""
    old, new, seconds = before.grown, after.grown, 0.0
    first = np.cumsum(np.where(new.words[:, LEFT] < 0, new.words[:, ROWS], 0))
    stack = [(0, 0, after.roots.draws.seed, 0)]
    while stack:
        one, other, key, depth = stack.pop()
        f = new.words[other, FEATURE]
        if f >= 0 and f == old.words[one, FEATURE]:
            for side, step in ((LEFT, 1), (RIGHT, 2)):
                below = np.uint64(mixed(key, step))
                stack.append((old.words[one, side], new.words[other, side], below, depth + 1))
            continue
        if f < 0:
            continue
        start = int(first[other - 1]) if other else 0
        end = start + int(new.words[other, ROWS])
        bench, root = grove.benches[0], float(new.reals[0, WEIGHT])
        whole = (
            grove.table,
            grove.rules,
            after.roots.draws,
            after.roots.labels,
            after.samples.copy(),
            start,
            end,
            depth,
        )
        store = bench.histograms
        store.used[0] = 0
        origin = int(new.origin[other])
        rest = (key, origin, root, bench.out, 0, -1, False, store, bench.scratch)
        seconds += timed(partial(build, *whole, *rest))[0]
    return seconds


def phases(case: core.Case, repeats: int) -> None:
    """Print where a single removal spends its time, on one thread, and how many rows it looks at and why."""
    benches, spent = state_of(case).grove.benches, Counter[str]()

    def clocked(name: str) -> Callable[..., Any]:
        inner = getattr(steps, name)

        def call(*args: Any) -> Any:
            seconds, result = timed(lambda: inner(*args))
            spent[name] += seconds
            return result

        return call

    for bench in benches:
        bench.moves.tally[:] = 0
    draw = np.random.default_rng(1)
    with (
        mock.patch.object(threads, "processors", return_value=1),
        mock.patch.multiple(steps, update=clocked("update"), with_tree=clocked("with_tree"), grow=clocked("grow")),
    ):
        for one in draw.choice(case.retained_ids, repeats, replace=False):
            seconds, result = timed(lambda one=one: core.unlearn(case, [one], method="forest"))
            spent["all"] += seconds
            pairs = zip(state_of(case).trees, state_of(result.case).trees, strict=True)
            spent["rebuilding"] += sum(
                rebuilding_time(tree, other, state_of(case).grove) for tree, other in pairs if tree is not other
            )
    total = sum(bench.moves.tally for bench in benches) / repeats
    share = {name: 100 * seconds / spent["all"] for name, seconds in spent.items()}
    print(
        f"one record, on one thread: {share['update'] - share['rebuilding']:.0f}% of the time following paths and checking, "
        f"{share['rebuilding']:.0f}% building subtrees again, "
        f"{share.get('grow', 0.0):.0f}% building whole trees, {share['with_tree']:.0f}% writing scikit-learn's trees, the rest around it; "
        f"rows of nodes checked {total[0]:,.0f}, searched on every candidate {total[1]:,.0f}, of subtrees built again {total[2]:,.0f}, "
        f"moved by sliding thresholds {total[3]:,.0f}"
    )


def run(name: str, tables: Tables, trees: int, depth: int | None, repeats: int, seed: int) -> None:
    train, test = tables
    features = features_of(train)

    def make_model() -> Any:
        return RandomForestClassifier(trees, max_depth=depth, random_state=seed, n_jobs=JOBS)

    fit, model = timed(lambda: make_model().fit(train[features], train["label"]))
    case = core.Case(model, train=train, test=test, roles=ROLES)
    adopt, case = timed(lambda: core.prepare(case, method="forest"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"\n{name}: n = {len(train):,}, d = {len(features)}, {trees} trees, depth {depth or 'unlimited'}: fit {fit:.1f} s, "
        f"adopting {adopt:.1f} s ({adopt / fit:.2f} times the fit, aim 3), peak memory of the process {peak:.2f} GiB"
    )
    core.unlearn(case, case.retained_ids[:1], method="forest")
    report(case, 1, repeats, make_model, "500 / 200")
    phases(case, min(20, repeats))
    report(case, 100, 3, make_model, "25")
    report(case, 0.01, 3, make_model, "6")
    report(case, 0.1, 2, make_model, "1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=100, help="removals of a single record")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--adult", metavar="PATH", help="the Adult census table as Parquet, in place of the made one")
    options = parser.parse_args()
    train, test = make_tables(3000, 1)
    for depth in DEPTHS:
        small = RandomForestClassifier(2, max_depth=depth, random_state=0).fit(
            train[features_of(train)], train["label"]
        )
        core.unlearn(core.Case(small, train=train, test=test, roles=ROLES), [0, 1], method="forest")
    name = "Adult" if options.adult else "made"
    tables = adult_tables(options.adult) if options.adult else make_tables(options.rows, options.seed)
    with joblib.parallel_config(n_jobs=JOBS):
        for depth in DEPTHS:
            run(name, tables, options.trees, depth, options.repeats, options.seed)


if __name__ == "__main__":
    main()
