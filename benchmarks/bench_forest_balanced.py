"""How much faster is removing records from a random forest with balanced class weights than scikit-learn's own refit?

Forests of 100 trees on make_classification with 3% of the rows in the rare class. Every draw of a removed record moves to another of its
class, so that one of the rare class, which is drawn many times in every tree, changes many rows. The forest without class weights
stands beside it; both sides use two threads and take turns. The first removals are compared, tree by tree, with building from scratch.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

import core
from core.families.forest.points import state_of
from core.families.forest.tree import first_difference

ROLES = core.Roles("label", 1, 1, ["group"])


def make_table(n: int, d: int, rare: float, seed: int) -> pd.DataFrame:
    X, y = make_classification(n, d, n_informative=d // 2, weights=[1 - rare], random_state=seed)
    table = pd.DataFrame(X, columns=[f"x{index}" for index in range(d)])
    return table.assign(label=y, group=np.where(np.arange(n) % 2, "a", "b"))


def timed(task: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = task()
    return time.perf_counter() - start, result


def run(table: pd.DataFrame, options: dict[str, Any], repeats: int, seed: int) -> None:
    columns = [name for name in table.columns if name.startswith("x")]
    model = RandomForestClassifier(random_state=0, n_jobs=2, **options).fit(table[columns], table["label"])
    case = core.prepare(core.Case(model, table, table[:200], ROLES, confirm=False), method="forest")
    draw, label = np.random.default_rng(seed), table["label"]
    of_class = [draw.permutation(table.index[label == code]) for code in (0, 1)]
    sets = {
        "1 of the common class": [of_class[0][k : k + 1] for k in range(repeats)],
        "1 of the rare class": [of_class[1][k : k + 1] for k in range(repeats)],
        "20 of the rare class": [of_class[1][20 * k : 20 * k + 20] for k in range(repeats)],
        "100 at random": [draw.choice(table.index, 100, replace=False) for _ in range(repeats)],
    }
    core.unlearn(case, of_class[1][-1:], method="forest")
    for what, groups in sets.items():
        ours, refits, wrong = [], [], 0
        for place, ids in enumerate(groups):
            seconds, result = timed(lambda ids=ids: core.unlearn(case, ids, method="forest"))
            ours.append(seconds)
            if place < 2:
                after = result.case
                scratch = state_of(case).from_scratch(after.retained).trees
                pairs = zip(state_of(after).trees, scratch, strict=True)
                wrong += sum(first_difference(one.grown, other.grown) != -1 for one, other in pairs)
                kept = table.drop(index=ids)
                refits.append(timed(lambda kept=kept: clone(model).fit(kept[columns], kept["label"]))[0])
        own, refit = np.median(ours), np.median(refits)
        print(
            f"{what:>22}: median {1e3 * own:7.1f} ms, refit {1e3 * refit:7.0f} ms: {refit / own:6.1f} times faster; "
            f"trees that differ from scratch: {wrong}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--rare", type=float, default=0.03)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    table = make_table(given.rows, given.columns, given.rare, given.seed)
    for class_weight in ("balanced", None):
        print(f"class_weight={class_weight!r}, {given.rows:,} x {given.columns}, {given.trees} trees")
        run(table, {"n_estimators": given.trees, "class_weight": class_weight}, given.repeats, given.seed)


if __name__ == "__main__":
    main()
