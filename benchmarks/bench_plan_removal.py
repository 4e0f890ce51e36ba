"""How few records halve a gap on rows that were not searched, at what loss, against a one-shot ranking and against chance?

Takes UCI Adult as a Parquet file with a `split` column. A logistic regression; for each seed the test table is split anew into explore
and confirm, a plan is made on explore that brings the equal-opportunity gap between the sexes to a share of what it is, and is looked
at on confirm. Beside it: the shortest prefix of the ranking by influence, taken once and not again, that reaches the same target on
explore, found by real removals; and random removals of as many records, on confirm.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bench_adult import TIGHT, fit

import core
from core.attribution.outcome import Outcome
from core.plans.search import fewest

GAP = "equal_opportunity_difference"


def value(case: core.Case, metric: str, on: str) -> float:
    return Outcome.of(case, metric, "sex", on).value()


def one_shot(case: core.Case, target: float, most: int, step: int = 5) -> int:
    """Return how many of one ranking, in its order, reach the target, to a step; `most` if none of its prefixes does."""
    ids = core.harmful(core.influence(case, GAP, sensitive_feature="sex"))[:most]
    current = case
    for start in range(0, most, step):
        current = core.unlearn(current, ids[start : start + step]).case
        if value(current, GAP, "explore") <= target:
            part = current.forgotten_ids
            return len(fewest(ids[: len(part)].tolist(), lambda some: _reaches(case, some, target)))
    return most


def _reaches(case: core.Case, some: list[Any], target: float) -> bool:
    return value(core.unlearn(case, some).case, GAP, "explore") <= target


def run(case: core.Case, share: float, most: int, draws: int, seed: int) -> dict[str, float]:
    before = value(case, GAP, "explore")
    plan = core.plan_removal(
        case, GAP, target=share * before, max_utility_drop=0.01, max_records=most, sensitive_feature="sex", n_random=0
    )
    after = plan.case
    held, held_after = value(case, GAP, "confirm"), value(after, GAP, "confirm")
    draw = np.random.default_rng(seed)
    chance = [
        value(core.unlearn(case, draw.choice(case.retained_ids, len(plan), replace=False)).case, GAP, "confirm")
        for _ in range(draws)
    ]
    row = {
        "explore before": before,
        "explore after": value(after, GAP, "explore"),
        "confirm before": held,
        "confirm after": held_after,
        "ratio": held_after / held,
        "accuracy lost": value(case, "accuracy", "confirm") - value(after, "accuracy", "confirm"),
        "records": len(plan),
        "one-shot": one_shot(case, share * before, most),
        "random low": float(np.quantile(chance, 0.025)),
        "random high": float(np.quantile(chance, 0.975)),
    }
    print(f"seed {seed}: {plan.reason}")
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, help="Parquet file of UCI Adult with a split column")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.2, help="target on explore, as a share of the gap there")
    parser.add_argument("--most", type=int, default=1500)
    parser.add_argument("--draws", type=int, default=20)
    options = parser.parse_args()
    whole = pd.read_parquet(options.table)
    train, test = (
        whole[whole["split"] == part].drop(columns="split").reset_index(drop=True) for part in ("train", "test")
    )
    model, roles = fit(train, **TIGHT), core.Roles("income", whole["income"].max(), whole["income"].max(), ["sex"])
    rows = []
    for seed in range(options.seeds):
        case = core.prepare(core.Case(model, train, test, roles, seed=seed))
        rows.append(run(case, options.share, options.most, options.draws, seed))
    table = pd.DataFrame(rows)
    print(table.round(4).to_string())
    middle = table.median()
    print(
        f"\nmedian over {len(table)} splits: on confirm the gap goes to {middle['ratio']:.2f} of what it was with {middle['records']:.0f} records "
        f"({middle['one-shot']:.0f} by one ranking, {middle['one-shot'] / middle['records']:.2f} times as many); accuracy lost {middle['accuracy lost']:.4f}; "
        f"random removals stay within {middle['random low']:.4f} and {middle['random high']:.4f}, the plan reaches {middle['confirm after']:.4f}"
    )


if __name__ == "__main__":
    main()
