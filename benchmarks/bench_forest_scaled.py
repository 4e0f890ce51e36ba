"""How much faster does a record leave a random forest behind a scaler in place than by building the trees again?

The scaler is fitted again without the record, so that every row has other values. On made tables of whole numbers, as ages, amounts
and counts are, and of continuous columns; scikit-learn's refit of the pipeline, building again and the update in place are timed in
turn, on two threads each, and the trees of the last two compared.
"""

from __future__ import annotations

import argparse
from unittest import mock

import numpy as np
import pandas as pd
from core.families.unlearner.tree import first_difference
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from benchmarks.bench_forest_removal import JOBS, features_of, make_tables, refit_time, timed
from core.families.forest import unlearner
from core.families.forest.points import state_of


def whole_numbers(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the table with columns of about a hundred whole numbers each."""
    return table.assign(**{name: (20 * table[name]).round() for name in columns})


def report(name: str, train: pd.DataFrame, test: pd.DataFrame, n_trees: int, k: int, repeats: int) -> None:
    model = make_pipeline(StandardScaler(), RandomForestClassifier(n_trees, random_state=0, n_jobs=JOBS))
    model.fit(train[features_of(train)], train["label"])
    case = core.prepare(
        core.Case(model, train=train, test=test, roles=core.Roles("label", 1, 1, ["group"])), method="forest"
    )
    draw, times, wrong = np.random.default_rng(0), [], 0
    core.unlearn(case, case.retained_ids[:1], method="forest")
    for _ in range(repeats):
        ids = draw.choice(case.retained_ids, k, replace=False)
        place, kept = timed(lambda ids=ids: core.unlearn(case, ids, method="forest"))
        with mock.patch.object(unlearner, "rescaled", return_value=None):
            again, built = timed(lambda ids=ids: core.unlearn(case, ids, method="forest"))
        pairs = zip(state_of(kept.case).trees, state_of(built.case).trees, strict=True)
        wrong += sum(first_difference(one.grown, other.grown) >= 0 for one, other in pairs)
        times.append((refit_time(clone(model), kept.case), again, place))
    refit, again, place = np.median(times, axis=0)
    print(
        f"{name}, {k} records: in place {1e3 * place:.0f} ms, {refit / place:.1f} times faster than refit ({refit:.1f} s), "
        f"{again / place:.1f} times than building again; trees that differ: {wrong}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=24_000)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    train, test = make_tables(args.rows, 0)
    names = features_of(train)[:20]
    train, test = (table[[*names, "label", "group"]] for table in (train, test))
    for name, columns in (("whole numbers", names), ("one of 20 continuous", names[1:]), ("all continuous", [])):
        tables = whole_numbers(train, columns), whole_numbers(test, columns)
        for k in (1, 100):
            report(name, *tables, args.trees, k, args.repeats)


if __name__ == "__main__":
    main()
