"""The people concerned: newly refused, newly served, and whose records were removed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd

from core.case.case import Case
from core.metrics.samples import Sample, feature_name, occupied
from core.typing import Bools, Feature, Floats

REFUSED, SERVED = "newly refused", "newly served"
LEAST = 1e-12
"""Chances of a decision that differ by less are the same."""


def moved(before: Sample, after: Sample) -> Floats:
    """Return how much likelier the favourable decision became for every row.

    1 newly served, -1 newly refused.
    """
    change = after.decision.astype(np.float64) - before.decision.astype(np.float64)
    return np.where(np.abs(change) > LEAST, change, 0.0)


def people_decided_otherwise(case: Case, label: Bools, change: Floats, on: str) -> pd.DataFrame:
    """Return the test rows that are decided otherwise.

    Parameters
    ----------
    case : Case
        Whose test table it is.
    label : ndarray of bool, shape (n,)
        Whether the label of each row of `on` is favorable_label.
    change : ndarray, shape (n,)
        What `moved` returned.
    on : str
        The split.

    Returns
    -------
    DataFrame
        Indexed by the ids of test rows: ``decision`` ("newly refused" of the favourable decision, "newly served"), ``label``, the true
        one, ``labelled_good`` (it is favorable_label), ``share`` (below 1 where decisions are drawn at random: how much less or more likely
        they became), and each sensitive feature's group.
    """
    at = np.flatnonzero(change)
    rows = case.rows(on)[at]
    columns: dict[str, object] = {}
    for feature in case.roles.sensitive_features:
        groups = case.groups(feature, on)
        columns[feature] = np.array(groups.names, dtype=object)[groups.codes[at]]
    columns = {
        "decision": np.where(change[at] < 0, REFUSED, SERVED),
        "label": case.test[case.roles.target].to_numpy()[rows],
        "labelled_good": label[at],
        "share": np.abs(change[at]),
    } | columns
    return pd.DataFrame(columns, index=case.test_ids[rows])


def people_counted(case: Case, label: Bools, change: Floats, features: Iterable[Feature], on: str) -> pd.DataFrame:
    """Return how many people of every group and label are newly refused and newly served.

    Parameters
    ----------
    case, label, change, on
        As for `people_decided_otherwise`.
    features : iterable of str or tuple of str
        Sensitive features.

    Returns
    -------
    DataFrame
        Indexed by (sensitive_feature, group, labelled_good): ``n`` rows, ``newly_refused``, ``newly_served``.
    """
    keys: list[tuple[str, str, bool]] = []
    tables = []
    weights = None, np.maximum(-change, 0.0), np.maximum(change, 0.0)
    for feature in features:
        names, codes = occupied(case.groups(feature, on))
        keys += itertools.product([feature_name(feature)], names, [False, True])
        kind = codes * 2 + label
        tables.append([np.bincount(kind, weights=weight, minlength=2 * len(names)) for weight in weights])
    index = pd.MultiIndex.from_tuples(keys, names=["sensitive_feature", "group", "labelled_good"])
    n, refused, served = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    return pd.DataFrame({"n": n, "newly_refused": refused, "newly_served": served}, index=index)[n > 0]


def shares_removed(case: Case, gone: Bools, features: Iterable[Feature]) -> pd.DataFrame:
    """Return how many of the retained training records of every group go.

    Parameters
    ----------
    case : Case
        Before the removal.
    gone : ndarray of bool, shape (n_train,)
        Which training records go.
    features : iterable of str or tuple of str
        Sensitive features.

    Returns
    -------
    DataFrame
        Indexed by (sensitive_feature, group): ``n`` retained before, ``removed``, and their ``share``.
    """
    keys: list[tuple[str, str]] = []
    tables = []
    for feature in features:
        groups = case.groups(feature, "train")
        keys += itertools.product([feature_name(feature)], groups.names)
        tables.append([np.bincount(groups.codes[rows], minlength=len(groups)) for rows in (case.retained, gone)])
    index = pd.MultiIndex.from_tuples(keys, names=["sensitive_feature", "group"])
    n, lost = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    return pd.DataFrame({"n": n, "removed": lost, "share": lost / np.maximum(n, 1)}, index=index)[n > 0]
