"""Prefixes of a ranking, re-scored as groups.

Which is the shortest that has most of what the ranking can gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.actions.influence import attributor_of, harmful, influence
from core.attribution.outcome import Outcome
from core.case.case import Case
from core.errors import InputError
from core.metrics.audit import sample_of
from core.metrics.catalog import metric_of
from core.metrics.gaps import deciding_rate
from core.metrics.samples import GroupSample, generator
from core.typing import Feature, Floats, Positions, Progress

SHARE = 0.8
"""Of the best gain along the ranking, that the prefix has to have."""
N_SIZES = 24
BISECTIONS = 2


class PrefixStep(NamedTuple):
    """Predictions without the first records of a ranking.

    Parameters
    ----------
    size : int
    scores : ndarray
        Of pos_label, for the rows searched.
    value : float
        The metric.
    behind, ahead : int
        The groups that are worst and best off, by number; -1 for a metric that does not compare groups.
    """

    size: int
    scores: Floats
    value: float
    behind: int
    ahead: int


class Choice(NamedTuple):
    """The size chosen, and all steps looked at, in order of size."""

    size: int
    steps: list[PrefixStep]


def sizes_up_to(most: int, n_sizes: int) -> list[int]:
    """Return at most `n_sizes` sizes from 1 to `most`, evenly spread on a logarithmic scale.

    Examples
    --------
    >>> sizes_up_to(100, 5), sizes_up_to(3, 10)
    ([1, 3, 10, 32, 100], [1, 2, 3])
    """
    return np.unique(np.round(np.geomspace(1, most, n_sizes)).astype(int)).tolist() if most else []


def ranked(case: Case, metric: str, feature: Feature, on: str, most: int) -> pd.Index[Any]:
    """Return the ids whose removal is predicted to help, most harmful first, at most so many."""
    effects = influence(case, metric, sensitive_feature=feature, on=on)
    helps = effects < 0 if metric_of(metric).better == "lower" else effects > 0
    return harmful(effects[helps])[:most] if helps.any() else effects.index[:0]


def along(
    case: Case, metric: str, feature: Feature, on: str, ranking: pd.Index[Any], n_sizes: int, progress: Progress | None
) -> list[PrefixStep]:
    """Return predictions without each prefix of a ranking.

    The first step is of none removed.
    """
    now = case.scores(on)
    sizes = sizes_up_to(len(ranking), n_sizes)
    return [
        PrefixStep(0, now, value_at(case, metric, feature, on, now), *_ends(case, metric, feature, on, now)),
        *steps_of(case, metric, feature, on, ranking, sizes, progress),
    ]


def steps_of(
    case: Case,
    metric: str,
    feature: Feature,
    on: str,
    ranking: pd.Index[Any],
    sizes: Sequence[int],
    progress: Progress | None = None,
) -> list[PrefixStep]:
    """Return predictions without the first so many records of a ranking.

    Sizes that cannot go are left out.
    """
    positions: Positions = case.positions(ranking)
    steps = []
    with attributor_of(case) as attributor:
        for done, (size, scores) in enumerate(attributor.prefix_scores(case, positions, sizes, on)):
            if progress is not None:
                progress((done + 1) / len(sizes), f"Looking at the first {size:,} records of the ranking")
            if np.isfinite(scores).all():
                value = value_at(case, metric, feature, on, scores)
                steps.append(PrefixStep(size, scores, value, *_ends(case, metric, feature, on, scores)))
    return steps


def value_at(case: Case, metric: str, feature: Feature, on: str, scores: Floats) -> float:
    """Return the metric at scores of pos_label."""
    return float(Outcome.of(case, metric, feature, on).values(scores[np.newaxis])[0])


def shortest(
    case: Case, metric: str, feature: Feature, on: str, ranking: pd.Index[Any], steps: list[PrefixStep]
) -> Choice:
    """Return the shortest prefix with most of the best gain.

    It is looked for more closely between the sizes around it.
    """
    for _ in range(BISECTIONS + 1):
        allowed = _before_turning(steps)
        gains = _gains(metric, steps)
        best = max((gains[place] for place in allowed), default=0.0)
        if not best > 0.0:
            return Choice(0, steps)
        place = next(place for place in allowed if gains[place] >= SHARE * best)
        middle = (steps[place - 1].size + steps[place].size) // 2
        if middle in (steps[place - 1].size, steps[place].size):
            break
        closer = steps_of(case, metric, feature, on, ranking, [middle])
        steps = sorted([*steps, *closer], key=lambda step: step.size)
    allowed, gains = _before_turning(steps), _gains(metric, steps)
    best = max(gains[place] for place in allowed)
    place = next(place for place in allowed if gains[place] >= SHARE * best)
    return Choice(steps[place].size, steps)


def _gains(metric: str, steps: list[PrefixStep]) -> list[float]:
    short = metric_of(metric).short_of_best
    first = short(steps[0].value)
    return [float(first - short(step.value)) if np.isfinite(step.value) else -np.inf for step in steps]


def _before_turning(steps: list[PrefixStep]) -> list[int]:
    """Return the places of the steps up to the first at which another group is worst off.

    There, the group that was behind is ahead of all others.
    """
    behind = steps[0].behind
    turned = next((place for place, step in enumerate(steps) if place and 0 <= behind == step.ahead), len(steps))
    return list(range(1, turned))


def _ends(case: Case, metric: str, feature: Feature, on: str, scores: Floats) -> tuple[int, int]:
    """Return which group is behind and which ahead, by number.

    -1 where the metric does not compare groups or is undefined.
    """
    found = metric_of(metric)
    if not found.compares_groups:
        return -1, -1
    sample, groups = sample_of(case, on, scores), case.groups(feature, on)
    view = GroupSample(sample, groups.codes.astype(np.intp), len(groups), 1, generator(0, ""))
    values = [view.values(rate) for rate in found.rates]
    deciding = deciding_rate(found, values)
    rates = values[deciding]
    if np.isnan(rates).all():
        return -1, -1
    low, high = int(np.nanargmin(rates)), int(np.nanargmax(rates))
    end = metric_of(found.rates[deciding]).worst_end(pos_is_favorable=sample.pos_is_favorable)
    return (low, high) if end == "low" else (high, low)


def found_on(half: Case, metric: str, feature: Feature, on: str, most: int) -> pd.Index[Any] | None:
    """Return what a search on one half of the rows would take; None for nothing."""
    try:
        ranking = ranked(half, metric, feature, on, most)
        steps = along(half, metric, feature, on, ranking, N_SIZES, None)
        chosen = shortest(half, metric, feature, on, ranking, steps)
    except InputError:
        return None
    return ranking[: chosen.size] if chosen.size else None
