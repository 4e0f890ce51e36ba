"""Groups against a reference group: differences and ratios.

As disparities of AIF360 (unprivileged less privileged, disparate impact) and Aequitas (group over reference) are taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from core.case.groups import Groups
from core.errors import InputError, InputTypeError, listed, nearest
from core.metrics.catalog import Metric, metric_of
from core.metrics.gaps import combine
from core.metrics.group_evidence import RateEvidence
from core.metrics.inference import gap_interval, gap_p_value, null_rate, scaled_columns
from core.metrics.samples import GroupSample, RateDraws, feature_name
from core.numerics.statistics.counts import FloatArray
from core.numerics.statistics.false_discovery import discovery_rates
from core.numerics.statistics.resampling import upper_p_value

Reference: TypeAlias = Mapping[Any, Any] | str | None
"""The reference group of each sensitive feature; a text alone is that of the only one."""
REFERENCE_COLUMNS = (
    "reference_group",
    "furthest_group",
    "reference_value",
    "reference_low",
    "reference_high",
    "reference_p_value",
)
AGAINST = (
    "value",
    "reference",
    "difference",
    "difference_low",
    "difference_high",
    "ratio",
    "ratio_low",
    "ratio_high",
    "p_value",
    "insufficient",
)


def reference_groups(reference: Reference, groups: Sequence[Groups]) -> dict[str, int]:
    """Return the number of the reference group of each sensitive feature that has one.

    Parameters
    ----------
    reference : mapping or str
        Group by feature; of an intersection, a tuple of groups or their names as tables have them.
    groups : sequence of Groups
        Of the audited rows.

    Raises
    ------
    InputError
        If a feature or group does not exist, or no audited row is of the group.

    Examples
    --------
    >>> sex = Groups("sex", ("f", "m"), np.array([0, 1, 1], dtype=np.int32))
    >>> reference_groups({"sex": "m"}, [sex])
    {'sex': 1}
    """
    known = {feature_name(group.feature): group for group in groups}
    if isinstance(reference, str) and len(known) == 1:
        reference = {next(iter(known)): reference}
    if not isinstance(reference, Mapping):
        raise InputTypeError(
            f"`reference` must give a group for each sensitive feature that has one. Got {reference!r}; write as in {{'sex': 'male'}}."
        )
    found = {}
    for key, wanted in reference.items():
        feature = feature_name(key) if isinstance(key, (str, tuple, list)) else str(key)
        if feature not in known:
            raise InputError(
                f"`reference` must be of sensitive features that are audited. Got {key!r}.{nearest(feature, known) or f' They are {listed(known)}.'}"
            )
        found[feature] = _place(wanted, known[feature])
    return found


def _place(wanted: Any, group: Groups) -> int:
    name = ", ".join(map(str, wanted)) if isinstance(wanted, (tuple, list)) else str(wanted)
    feature = feature_name(group.feature)
    if name not in group.names:
        raise InputError(
            f"The reference group of {feature!r} must be one of its groups. Got {wanted!r}."
            + (nearest(name, group.names) or f" They are {listed(group.names)}.")
        )
    place = group.names.index(name)
    if not (group.codes == place).any():
        raise InputError(
            f"The reference group must have audited rows. None of the {len(group.codes):,} is of {name!r} by {feature!r}; take another "
            "group, or other rows."
        )
    return place


def reference_row(
    metric: Metric,
    view: GroupSample,
    evidence: dict[str, RateEvidence],
    names: Sequence[str],
    place: int | None,
    level: float,
) -> tuple[Any, ...]:
    """Return what REFERENCE_COLUMNS names for one metric and feature."""
    if place is None:
        return (None, None, np.nan, np.nan, np.nan, np.nan)
    if metric.kind not in ("difference", "ratio"):
        return (names[place], None, np.nan, np.nan, np.nan, np.nan)
    values = [evidence[rate].estimate for rate in metric.rates]
    parts = [_apart(metric, rates, place) for rates in values]
    value = float(combine(metric, values, place))
    furthest = None
    if not np.isnan(value):
        apart = np.array(parts) if metric.kind == "difference" else 1.0 - np.array(parts)
        furthest = names[int(np.nanargmax(apart)) % len(names)]
    low, high = gap_interval(metric, [view.rate(rate) for rate in metric.rates], level, place)
    return (names[place], furthest, value, low, high, gap_p_value(metric, view, place))


def _apart(metric: Metric, rates: FloatArray, place: int) -> FloatArray:
    """Return how far every group is from the reference; NaN for itself."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (
            np.abs(rates - rates[place])
            if metric.kind == "difference"
            else np.minimum(rates, rates[place]) / np.maximum(rates, rates[place])
        )
    found[place] = np.nan
    return np.asarray(found)


def against_table(
    view: GroupSample, evidence: dict[str, RateEvidence], feature: str, names: Sequence[str], place: int, level: float
) -> pd.DataFrame:
    """Return every rate of every other group against the reference group's."""
    keys, rows = [], []
    for rate, found in evidence.items():
        metric, draws, null = metric_of(rate), view.rate(rate), null_rate(rate, view)
        for group in range(len(names)):
            if group != place and not np.isnan(found.estimate[group]):
                keys.append((rate, feature, names[group]))
                unsure = bool(found.insufficient(view.n)[[group, place]].any())
                rows.append((*_pair(metric, draws, null, group, place, level), unsure))
    index = pd.MultiIndex.from_tuples(keys, names=["metric", "sensitive_feature", "group"]) if keys else None
    return pd.DataFrame(rows, index=index, columns=list(AGAINST))


def _pair(
    metric: Metric, draws: RateDraws, null: FloatArray, group: int, place: int, level: float
) -> tuple[float, ...]:
    value, reference = float(draws.estimate[group]), float(draws.estimate[place])
    difference = value - reference
    spread = draws.draws - draws.centre
    half = float(np.quantile(np.abs(spread[:, group] - spread[:, place]), level))
    ends = max(difference - half, -metric.most), min(difference + half, metric.most)
    ratio, ratio_low, ratio_high = np.nan, np.nan, np.nan
    if reference > 0:
        ratio = value / reference
        centre, logs = scaled_columns(metric, draws, logarithms=True)
        middle = centre[group] - centre[place]
        reach = float(np.quantile(np.abs(logs[:, group] - logs[:, place]), level))
        ratio_low, ratio_high = min(float(np.exp(middle - reach)), ratio), max(float(np.exp(middle + reach)), ratio)
    p_value = upper_p_value(abs(difference), np.abs(null[:, group] - null[:, place]))
    return value, reference, difference, *ends, ratio, ratio_low, ratio_high, p_value


def joined_against(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the tables of several features together, and correct their p-values over all."""
    full = [table for table in tables if len(table)]
    if not full:
        return pd.DataFrame(columns=[*AGAINST, "q_value"])
    table = pd.concat(full)
    p_values = table["p_value"].to_numpy(np.float64)
    q_values, tested = np.full(len(table), np.nan), ~np.isnan(p_values)
    q_values[tested] = discovery_rates(p_values[tested], p_values[tested])
    return table.assign(q_value=q_values)
