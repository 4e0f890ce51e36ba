"""The tables and sentences of an audit report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.case.values.spellings import alike_sentence, spelled_alike
from core.metrics.catalog import METRICS, Metric
from core.metrics.gaps import combine, deciding_rate
from core.metrics.group_evidence import RateEvidence
from core.metrics.inference import gap_interval, gap_p_value
from core.metrics.samples import GroupSample
from core.numerics.statistics.false_discovery import discovery_rates
from core.typing import Array

GAP_COLUMNS = (
    "value",
    "low",
    "high",
    "p_value",
    "worst_group",
    "best_group",
    "n_worst",
    "insufficient",
    "left_out",
    "q_value",
)
MOST_NAMED = 5


def group_table(
    view: GroupSample, evidence: dict[str, RateEvidence], feature: str, names: tuple[str, ...]
) -> pd.DataFrame:
    """Lay out the rates of one feature's groups."""
    columns: dict[str, Any] = {"n": view.n.astype(np.int64)}
    if view.weighted:
        columns |= {"weight": view.counts.sum(axis=(1, 2)), "n_effective": view.n_effective}
    for rate, found in evidence.items():
        columns |= {rate: found.estimate, f"{rate}_low": found.low, f"{rate}_high": found.high}
    needed = np.array([np.zeros(len(names)), *(found.n_needed for found in evidence.values())]).max(axis=0)
    columns["insufficient"] = needed > view.n
    columns["n_needed"] = needed.astype(np.int64)
    columns |= {f"{rate}_n_needed": found.n_needed.astype(np.int64) for rate, found in evidence.items()}
    for rate, found in evidence.items():
        if found.of is not None:
            columns |= {f"{rate}_hits": found.hits, f"{rate}_of": found.of, f"{rate}_of_needed": found.of_needed}
    index = pd.MultiIndex.from_arrays([[feature] * len(names), names], names=["sensitive_feature", "group"])
    return pd.DataFrame(columns, index=index)


def gap_row(
    metric: Metric, view: GroupSample, evidence: dict[str, RateEvidence], names: tuple[str, ...], level: float
) -> tuple[Any, ...]:
    """Return what GAP_COLUMNS names for one metric and feature."""
    values = [evidence[rate].estimate for rate in metric.rates]
    low, high = gap_interval(metric, [view.rate(rate) for rate in metric.rates], level)
    rate = metric.rates[deciding_rate(metric, values)]
    deciding = evidence[rate]
    present = np.flatnonzero(~np.isnan(deciding.estimate))
    left_out = ", ".join(names[group] for group in np.flatnonzero(np.isnan(deciding.estimate)))
    ends: tuple[Any, ...] = (None, None, 0, True)
    if len(present):
        ordered = present[np.argsort(deciding.estimate[present], kind="stable")]
        end = METRICS[rate].worst_end(pos_is_favorable=view.sample.pos_is_favorable)
        worst, best = (ordered[0], ordered[-1]) if end == "low" else (ordered[-1], ordered[0])
        unsure = bool(deciding.insufficient(view.n)[[worst, best]].any())
        ends = (names[worst], names[best], int(view.n[worst]), unsure)
    return (float(combine(metric, values)), low, high, gap_p_value(metric, view), *ends, left_out, np.nan)


def gap_table(
    rows: Mapping[tuple[str, ...], tuple[Any, ...]],
    order: list[str],
    names: Sequence[str] = ("metric", "sensitive_feature"),
    columns: Sequence[str] = GAP_COLUMNS,
) -> pd.DataFrame:
    """Lay out the gaps, metric by metric, and correct their p-values over all tests.

    Metrics of the same rates share one test.
    """
    keys = sorted(rows, key=lambda key: order.index(key[0]))
    index = pd.MultiIndex.from_tuples(keys, names=list(names)) if keys else None
    table = pd.DataFrame([rows[key] for key in keys], index=index, columns=list(columns))
    p_values = table["p_value"].to_numpy(np.float64)
    tested = np.flatnonzero(~np.isnan(p_values))
    tests = {(METRICS[keys[row][0]].rates, *keys[row][1:]): p_values[row] for row in tested}
    q_values = np.full(len(table), np.nan)
    q_values[tested] = discovery_rates(p_values[tested], np.array(list(tests.values())))
    return table.assign(q_value=q_values)


def notes(view: GroupSample, evidence: dict[str, RateEvidence], feature: str, names: tuple[str, ...]) -> list[str]:
    """Say which groups are too small, and which have no rate."""
    sentences = []
    small = np.zeros(len(names), dtype=bool)
    for found in evidence.values():
        small |= found.insufficient(view.n)
    if small.any():
        sized = [f"{names[group]} (n = {int(view.n[group])})" for group in np.flatnonzero(small)]
        sentences.append(
            f"Insufficient evidence in {feature} for {_few(sized)}; n_needed says how many records would do."
        )
    lost = {rate: np.isnan(found.estimate) for rate, found in evidence.items() if np.isnan(found.estimate).any()}
    if lost:
        affected = [names[group] for group in np.flatnonzero(np.any(list(lost.values()), axis=0))]
        sentences.append(
            f"No value in {feature} for {_few(affected)} of {_few(list(lost))}; gaps are taken over the other groups."
        )
    return sentences


def spelling_notes(feature: str, names: Sequence[str], n: Array) -> list[str]:
    """Say which groups are called alike but for capitals or spaces, and how they become one."""
    found = spelled_alike({name: int(size) for name, size in zip(names, n, strict=True)})
    return (
        [f"{alike_sentence(feature, found)} merge=[{feature!r}] in the roles makes one group of each."] if found else []
    )


def _few(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
