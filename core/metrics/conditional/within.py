"""Conditional parity: groups compared within the strata of control features.

As fairlearn's MetricFrame does with `control_features`.

References
----------
Kamiran, Zliobaite & Calders (2013), Quantifying explainable discrimination, Knowledge and Information Systems 35.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.case.groups import Groups, intersect, make_grouping
from core.case.roles import Roles
from core.errors import InputError, InputTypeError, listed, nearest
from core.metrics.audit_tables import gap_row, gap_table, group_table
from core.metrics.catalog import Metric
from core.metrics.conditional.pooled import POOLED, StratumView, pooled_row, reversals
from core.metrics.conditional.result import Strata
from core.metrics.group_evidence import rate_evidence
from core.metrics.samples import GroupSample, Sample, feature_name, generator, occupied
from core.typing import Positions

MOST_STRATA = 200


def strata_of(
    table: pd.DataFrame, rows: Positions, roles: Roles, control_features: str | Sequence[str] | None
) -> Groups | None:
    """Return the stratum of every audited row; None where there are no control features.

    Parameters
    ----------
    table : DataFrame
    rows : ndarray of int
        Positions of the audited rows.
    roles : Roles
        Gives the bin edges where the user chose them.
    control_features : str or sequence of str

    Raises
    ------
    InputError
        If a column does not exist or has one value, or there are too many strata.
    """
    if control_features is None:
        return None
    names = [control_features] if isinstance(control_features, str) else control_features
    if not isinstance(names, Sequence) or not names:
        raise InputTypeError(f"`control_features` must name columns. Got {control_features!r}; write as in ['job'].")
    parts = []
    for name in dict.fromkeys(names):
        if name not in table.columns:
            raise InputError(
                f"A control feature must be a column of the audited table. Got {name!r}."
                + (nearest(name, table.columns) or f" Columns are {listed(table.columns)}.")
            )
        column = table[name]
        parts.append(make_grouping(roles, name, column, column, "control feature").apply(column.iloc[rows]))
    found = parts[0] if len(parts) == 1 else intersect(parts)
    n_strata = len(np.unique(found.codes))
    if n_strata > MOST_STRATA:
        raise InputError(
            f"Control features can make at most {MOST_STRATA} strata. {listed(names)} make {n_strata:,}; name fewer."
        )
    return found


def stratified(
    sample: Sample,
    groups: Sequence[Groups],
    control: Groups,
    metrics: Sequence[Metric],
    over_all: pd.DataFrame,
    *,
    n_resamples: int,
    level: float,
    seed: int,
) -> Strata:
    """Audit within the strata of a control feature, and pooled over them.

    Parameters
    ----------
    sample : Sample
    groups : sequence of Groups
        Sensitive features of the same records.
    control : Groups
        Their strata; of several control features, the intersection.
    metrics : sequence of Metric
    over_all : DataFrame
        The gaps without strata, as of an audit.
    n_resamples, level, seed
        As for `audit`.

    Raises
    ------
    InputError
        If no stratum has two groups of a sensitive feature.
    """
    rates = tuple(dict.fromkeys(rate for metric in metrics for rate in metric.rates if rate != "count"))
    compared = [metric for metric in metrics if metric.compares_groups]
    named = feature_name(control.feature)
    tables, said = [], list[str]()
    rows: dict[tuple[str, ...], tuple[Any, ...]] = {}
    pooled: dict[tuple[str, ...], tuple[Any, ...]] = {}
    present = np.unique(control.codes)
    for group in groups:
        names, codes = occupied(group)
        feature, strata = feature_name(group.feature), []
        for place in present:
            members = np.flatnonzero(control.codes == place)
            words = [*([group.feature] if isinstance(group.feature, str) else group.feature), control.names[place]]
            view = GroupSample(sample.take(members), codes[members], len(names), n_resamples, generator(seed, words))
            strata.append(
                StratumView(control.names[place], view, {rate: rate_evidence(view, rate, level) for rate in rates})
            )
        _check(strata, names, feature, named, said)
        for one in strata:
            table = group_table(one.view, one.evidence, feature, names)
            tables.append(pd.concat({one.name: table[table["n"] > 0]}, names=["stratum"]))
            for metric in compared:
                rows[metric.name, feature, one.name] = gap_row(metric, one.view, one.evidence, names, level)
        for metric in compared:
            pooled[metric.name, feature] = pooled_row(
                metric, strata, names, level, over_all.xs((metric.name, feature)).to_dict()
            )
        said += reversals(pooled, compared, feature, strata, names, named, over_all)
    order = [metric.name for metric in compared]
    gaps = gap_table(rows, order, ("metric", "sensitive_feature", "stratum"))
    sizes = {control.names[place]: int((control.codes == place).sum()) for place in present}
    gaps["n"] = [sizes[str(key[2])] for key in gaps.index]
    found = gap_table(pooled, order, ("metric", "sensitive_feature"), POOLED)
    return Strata(named, pd.concat(tables), gaps, found, tuple(said))


def _check(strata: Sequence[StratumView], names: Sequence[str], feature: str, control: str, said: list[str]) -> None:
    """Say which strata have a single group; raise if all have."""
    alone = {one.name: names[int(np.argmax(one.view.n))] for one in strata if np.count_nonzero(one.view.n) < 2}
    if len(alone) == len(strata):
        raise InputError(
            f"A stratum must have two groups to compare. By {feature!r} each of {control!r} has one only, such as {next(iter(alone.values()))!r} "
            f"in {next(iter(alone))!r}; take another control feature."
        )
    if alone:
        few = [f"{name} has only {group}" for name, group in list(alone.items())[:3]]
        more = f" and {len(alone) - 3:,} more" if len(alone) > 3 else ""
        said.append(f"Strata with one group of {feature} have nothing to compare: {', '.join(few)}{more}.")
