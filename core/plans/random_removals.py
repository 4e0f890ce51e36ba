"""Random removals: what taking out as many records at random does.

It stands beside what a plan or a rule does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.actions.influence import not_on_confirm
from core.actions.unlearn import prepare, unlearn
from core.attribution.outcome import Outcome
from core.case.case import Case, check_case
from core.case.door import check_seed
from core.errors import InputError, InputTypeError, whole_number
from core.former import formerly
from core.plans.utility import Utility
from core.typing import Progress


@formerly("metric", "sensitive_feature", "utility")
def random_removals(
    case: Case,
    sizes: Sequence[int],
    *,
    metric: str = "equal_opportunity_difference",
    sensitive_feature: str | Sequence[str] | None = None,
    utility: str = "accuracy",
    cost: dict[str, float] | None = None,
    n_draws: int = 20,
    on: str = "explore",
    method: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Really unlearn records drawn at random, several sizes and many times over.

    Parameters
    ----------
    case : Case
    sizes : sequence of int
        How many records to remove; each draw goes through them from the smallest to the largest.
    metric, sensitive_feature, utility, cost, on, method
        As for `plan_removal`.
    n_draws : int
        Draws of each size.
    seed : int
        Seed of the draws.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    DataFrame
        One row per draw and size: ``n_removed``, ``draw``, ``metric`` and ``utility`` after the removal.

    Notes
    -----
    Costs `n_draws` removals of the largest size, in as many steps as there are sizes.
    """
    check_case(case)
    not_on_confirm(on)
    check_seed(seed)
    n_draws, sizes = whole_number("n_draws", n_draws), _as_numbers(sizes)
    if sizes and max(sizes) >= case.n_retained:
        raise InputError(
            f"Fewer than {case.n_retained:,} records can be removed at random. Got {max(sizes):,}; lower it."
        )
    feature = case.sensitive_feature(sensitive_feature)
    judged = Utility.of(case, utility, cost, on)
    start, draw, rows = prepare(case, method=method), np.random.default_rng(seed), []
    steps = sorted(set(sizes))
    for index in range(n_draws if steps else 0):
        order: Any = draw.permutation(case.retained_ids.to_numpy())[: steps[-1]]
        current, done = start, 0
        for size in steps:
            if progress is not None:
                progress((index + done / steps[-1]) / n_draws, f"Random removal {index + 1} of {n_draws}")
            current = unlearn(current, order[done:size], method=method).case
            done = size
            rows.append((size, index, Outcome.of(current, metric, feature, on).value(), judged.value(current, on)))
    return pd.DataFrame(rows, columns=["n_removed", "draw", "metric", "utility"])


def _as_numbers(sizes: object) -> list[int]:
    if isinstance(sizes, str) or not isinstance(sizes, Iterable):
        raise InputTypeError(f"Sizes must be given as a list. Got {sizes!r}; write [{sizes}].")
    return [whole_number("sizes", size) for size in sizes]


def band(draws: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Return the middle and the band of random removals, by size.

    Parameters
    ----------
    draws : DataFrame
        From `random_removals`.
    level : float
        Share of draws within the band.

    Returns
    -------
    DataFrame
        Indexed by ``n_removed``: ``metric_low``, ``metric``, ``metric_high``, ``utility_low``, ``utility``, ``utility_high``, ``n_draws``.
    """
    tail = (1.0 - level) / 2.0
    by_size = draws.groupby("n_removed")
    columns: dict[str, Any] = {}
    for name in ("metric", "utility"):
        columns[f"{name}_low"] = by_size[name].quantile(tail)
        columns[name] = by_size[name].median()
        columns[f"{name}_high"] = by_size[name].quantile(1.0 - tail)
    columns["n_draws"] = by_size.size()
    return pd.DataFrame(columns)
