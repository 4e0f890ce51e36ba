"""Audits without a model: a column of decisions or scores, with labels or without."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from core.case import door
from core.case.arguments import check_number
from core.case.groups import MAX_COMBINATIONS, Grouping, Groups, intersect, make_grouping
from core.case.own_decisions import OwnCut
from core.case.roles import AtRate, Roles
from core.case.scored import rows_within
from core.case.scoring import decide
from core.conditions.where import rows_where
from core.errors import InputError, InputTypeError, NotSupportedError, listed, nearest
from core.metrics.audit import LEVEL, N_RESAMPLES, SensitiveFeatures, audit_arrays, usable
from core.metrics.catalog import Metric, metrics_of
from core.metrics.conditional.within import strata_of
from core.metrics.rates import RATES
from core.metrics.reference import Reference
from core.metrics.report import AuditReport
from core.metrics.samples import Sample
from core.metrics.weights import SampleWeight, audited_weights
from core.typing import Bools, Feature, Floats, Positions

ON = "table"
"""What the rows are called that are no split of a case."""


def audit_decisions(
    table: pd.DataFrame,
    roles: Roles,
    *,
    decisions: str | None = None,
    scores: str | None = None,
    threshold: float | AtRate | None = None,
    metric: str | Iterable[str] | None = None,
    sensitive_feature: SensitiveFeatures = None,
    where: str | None = None,
    sample_weight: SampleWeight = None,
    control_features: str | Sequence[str] | None = None,
    reference: Reference = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> AuditReport:
    """Audit a column of decisions or scores; no model is needed, and no labels.

    Parameters
    ----------
    table : DataFrame
        A row for each person decided on.
    roles : Roles
        What is read: the label column `target`, which may be missing from the table, or be that of the decisions, where there are no labels;
        `favorable_label`, the good outcome in labels and decisions; `pos_label`, the outcome that scores are of; sensitive features and bins.
    decisions : str, optional
        Column of decisions: two values, one of them `favorable_label`. Numbers of more values are taken as `scores`.
    scores : str, optional
        Column of scores of `pos_label`, for metrics on scores; without `decisions` also what is decided by.
    threshold : float or AtRate, optional
        Where there are scores alone: scores from it on are decided `pos_label`, or the top share. None is 0.5, for scores from 0 to 1.
    metric, sensitive_feature, sample_weight, control_features, reference, n_resamples, level, seed
        As for `audit`.
    where : str, optional
        A condition on the rows of the table, as for `audit`.

    Returns
    -------
    AuditReport
        Without labels, selection rates alone, their gaps and ratios.

    Raises
    ------
    InputError
        If a column does not exist, or decisions are neither two values nor numbers.
    NotSupportedError
        If a metric asked for by name needs labels or scores that are not there.

    Examples
    --------
    >>> table = pd.DataFrame({"sex": ["f", "m"] * 200, "decided": ["yes", "yes", "no", "yes"] * 100})
    >>> report = audit_decisions(table, Roles("outcome", "yes", "yes", ["sex"]), decisions="decided")
    >>> report.gaps.loc[("demographic_parity_ratio", "sex"), "value"]
    np.float64(0.5)
    """
    _check(table, roles, decisions, scores, threshold)
    rows = _rows(table, where)
    part = table.iloc[rows]
    said = _said(part, roles, decisions, scores, threshold)
    label = _labels(part, roles, decisions)
    has = label is not None
    favorable = str(roles.pos_label) == str(roles.favorable_label)
    sample = Sample(
        np.zeros(len(part), dtype=bool) if label is None else label,
        said.favorable,
        said.score,
        said.probability,
        favorable,
        audited_weights(sample_weight, table, rows),
    )
    chosen, left_out = _possible(metrics_of(metric), has, said, roles, asked=metric is not None)
    groups = [_groups(table, rows, roles, feature) for feature in _features(table, roles, sensitive_feature)]
    control = strata_of(table, rows, roles, control_features)
    options = {"level": level, "on": ON, "control": control, "reference": reference}
    report = audit_arrays(sample, groups, chosen, n_resamples=n_resamples, seed=seed, **options)  # type: ignore[arg-type]
    weight = sample_weight if isinstance(sample_weight, str) else report.sample_weight
    notes = (*left_out, *report.notes)
    return replace(report, notes=notes, where="" if where is None else where.strip(), sample_weight=weight)


class _Decided(NamedTuple):
    """Decisions, and the scores of the favourable label behind them, where there are such."""

    favorable: Bools
    score: Floats | None
    probability: bool


def _check(table: object, roles: object, decisions: object, scores: object, threshold: object) -> None:
    if not isinstance(table, pd.DataFrame):
        raise InputTypeError(f"The table must be a pandas DataFrame. Got {type(table).__name__} instead.")
    if not isinstance(roles, Roles):
        raise InputTypeError(
            f"The roles must be core.Roles. Got {type(roles).__name__} instead; write core.Roles(...)."
        )
    door.check_tables(table, table)
    if threshold is not None and not isinstance(threshold, AtRate):
        check_number("threshold", threshold)
    if decisions is None and scores is None:
        raise InputError(
            "Decisions or scores must be named. Got neither; name the column of `decisions` or of `scores`."
        )
    for name, column in (("decisions", decisions), ("scores", scores)):
        if column is not None and (not isinstance(column, str) or column not in table.columns):
            hint = nearest(column, table.columns) or f" Columns are {listed(table.columns)}."
            raise InputError(f"`{name}` must be a column of the table. Got {column!r}.{hint}")
    door.check_columns(table, tuple(roles.sensitive_features), what="Every sensitive feature", where="audited")
    door.check_named(roles, table, "audited")


def _rows(table: pd.DataFrame, where: str | None) -> Positions:
    rows = np.arange(len(table))
    return rows if where is None else rows_within(rows, rows_where(table, where), ON, where)


def _said(
    part: pd.DataFrame, roles: Roles, decisions: str | None, scores: str | None, threshold: float | AtRate | None
) -> _Decided:
    """Return the decisions, and scores of the favourable label."""
    if decisions is not None and scores is None and _are_numbers(part[decisions]):
        decisions, scores = None, decisions
    values = None if scores is None else _numbers(part[scores], scores)
    probability = values is not None and bool(((values >= 0) & (values <= 1)).all())
    same = str(roles.pos_label) == str(roles.favorable_label)
    turned = values if values is None or same else 1.0 - values if probability else -values
    if decisions is not None:
        return _Decided(_favorable(part[decisions], roles, decisions), turned, probability)
    if values is None or (threshold is None and not probability):
        raise InputError(
            f"Scores outside 0 to 1 need a threshold to decide by. Got none for {scores!r}; give `threshold`, or a column of `decisions`."
        )
    positive = decide(values, 0.5 if threshold is None else threshold, OwnCut(0.5, ties_positive=True))
    return _Decided(positive if same else ~positive, turned, probability)


def _are_numbers(column: pd.Series[Any]) -> bool:
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    return numeric and column.nunique() > 2


def _numbers(column: pd.Series[Any], name: str) -> Floats:
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"Scores must be numbers. {name!r} holds {listed(column.unique(), most=3)}; take another column."
        ) from error
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise InputError(
            f"Every score must be a finite number. {bad:,} of {len(values):,} in {name!r} are not; leave these rows out by `where`."
        )
    return np.asarray(values)


def _favorable(column: pd.Series[Any], roles: Roles, name: str) -> Bools:
    empty = int(column.isna().sum())
    if empty:
        raise InputError(
            f'Every row must have a decision. {empty:,} of {len(column):,} in {name!r} have none; leave these rows out by where="{name} is not missing".'
        )
    kinds = list(column.unique())
    if len(kinds) > 2:
        raise InputError(
            f"Decisions must be two values, or numbers. {name!r} holds {len(kinds):,}: {listed(kinds, most=3)}; recode them, or take another column."
        )
    if len(kinds) == 2 and not any(_same(kind, roles.favorable_label) for kind in kinds):
        raise InputError(
            f"One of two decisions must be favorable_label. {name!r} holds {listed(kinds)}; got {roles.favorable_label!r}."
            + nearest(roles.favorable_label, kinds)
        )
    return np.array([_same(value, roles.favorable_label) for value in column], dtype=bool)


def _same(value: object, label: object) -> bool:
    """Return whether a cell is a label, also where a table reads 1 as 1.0 or as text."""
    if value == label or str(value) == str(label):
        return True
    return isinstance(value, float) and value.is_integer() and str(int(value)) == str(label)


def _labels(part: pd.DataFrame, roles: Roles, decisions: str | None) -> Bools | None:
    """Return which labels are favourable; None where there are none."""
    if roles.target not in part.columns or roles.target == decisions or part[roles.target].isna().all():
        return None
    column = part[roles.target]
    empty = int(column.isna().sum())
    if empty:
        raise InputError(
            f"Labels must be there for all rows or none. {empty:,} of {len(column):,} in {roles.target!r} are missing; look at the others by "
            f'where="{roles.target} is not missing", or drop the column.'
        )
    kinds = list(column.unique())
    if not any(_same(kind, roles.favorable_label) for kind in kinds) and len(kinds) > 1:
        raise InputError(
            f"Labels must hold favorable_label. {roles.target!r} holds {listed(kinds)}; got {roles.favorable_label!r}."
            + nearest(roles.favorable_label, kinds)
        )
    return np.array([_same(value, roles.favorable_label) for value in column], dtype=bool)


def needs_labels(metric: Metric) -> bool:
    """Return whether a metric cannot be had from decisions alone.

    Examples
    --------
    >>> from core.metrics.catalog import metric_of
    >>> needs_labels(metric_of("demographic_parity_ratio")), needs_labels(metric_of("precision"))
    (False, True)
    """
    if metric.uses == "scores":
        return True
    parts = itertools.chain.from_iterable(RATES[rate].terms for rate in metric.rates if rate != "count")
    return any(side[0] != side[1] for term in parts for side in term)


def _possible(
    chosen: tuple[Metric, ...], labelled: bool, said: _Decided, roles: Roles, *, asked: bool
) -> tuple[tuple[Metric, ...], list[str]]:
    """Leave out metrics whose labels or scores are not there, with a note.

    Refuse one that was asked for by name.
    """
    notes = []
    for lacking, needs, what, sentence in (
        (
            not labelled,
            needs_labels,
            "labels",
            f"There are no labels in {roles.target!r}: selection rates, their gaps and ratios alone.",
        ),
        (
            said.score is None,
            lambda one: one.uses == "scores",
            "scores",
            "There are no scores, so that metrics on scores are left out.",
        ),
    ):
        refused = [one.name for one in chosen if needs(one)] if lacking else []
        if refused and asked:
            raise NotSupportedError(f"These metrics need {what}: {listed(refused)}. There are none; leave them out.")
        if refused:
            notes.append(sentence)
            chosen = tuple(one for one in chosen if one.name not in refused)
    kept, more = usable(chosen, probability=said.probability or said.score is None, asked=asked)
    return kept, [*notes, *more]


def _features(table: pd.DataFrame, roles: Roles, asked: SensitiveFeatures) -> list[Feature]:
    known = list(roles.sensitive_features)
    if asked is None:
        sizes = math.prod(len(_grouping(table, roles, name).names) for name in known)
        return [*known, tuple(known)] if len(known) > 1 and sizes <= MAX_COMBINATIONS else [*known]
    if not isinstance(asked, Iterable):
        raise InputTypeError(
            f"`sensitive_feature` must name sensitive features, several as a list. Got {asked!r} instead."
        )
    wanted: list[Any] = [asked] if isinstance(asked, str | tuple) else list(asked)
    for name in itertools.chain.from_iterable([one] if isinstance(one, str) else one for one in wanted):
        if name not in known:
            raise InputError(
                f"The sensitive feature must be one of {listed(known)}. Got {name!r}.{nearest(name, known)}"
            )
    return [one if isinstance(one, str) else tuple(one) for one in wanted]


def _grouping(table: pd.DataFrame, roles: Roles, name: str) -> Grouping:
    return make_grouping(roles, name, table[name], table[name])


def _groups(table: pd.DataFrame, rows: Positions, roles: Roles, feature: Feature) -> Groups:
    if isinstance(feature, tuple):
        return intersect([_groups(table, rows, roles, part) for part in feature])
    return _grouping(table, roles, feature).apply(table[feature].iloc[rows])
