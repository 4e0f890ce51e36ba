"""Why the model scores a record as it does: SHAP values, by raw column.

Values are those of `shap.LinearExplainer` (features taken as independent, around the mean of the retained records) and of
`shap.TreeExplainer` (following the trees' own record counts) on the transformed features. Boosting with more than two classes has a tree
for each class in every stage, whose values are those of `pos_label`'s less the mean of all classes'. Features made of one raw column,
as by one-hot encoding, are added up; which column each feature is made of is found by changing one raw column at a time.

References
----------
Lundberg, S. M. and Lee, S.-I. (2017). A unified approach to interpreting model predictions. NeurIPS.
Lundberg, S. M. et al. (2020). From local explanations to global understanding with explainable AI for trees. Nature Machine
Intelligence 2.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.pipeline import Pipeline

from core.attribution.explainer import CENTRED, Explainer
from core.case.arguments import check_items
from core.case.case import Case, check_case
from core.case.door import check_seed
from core.case.scoring import model_rows, positive_scores, reals
from core.errors import InputError, InputTypeError, NotSupportedError, listed, said, whole_number
from core.families.registry import family_of, lacking
from core.former import formerly
from core.typing import Floats, Progress

MOST_VALUES = 500
"""Distinct values of a raw column that are tried to find the features made of it."""
DEAR = 2e10
"""So many steps (leaves of all trees times the square of their depth) a mean over records may take, unless it is told how many."""
USUAL_RECORDS, FEWEST_RECORDS = 100, 10
CLOSE = 1e-5
"""Values and base may differ from the model's output by this much."""


@formerly("progress")
def reasons(case: Case, ids: Iterable[Any], *, progress: Progress | None = None) -> pd.DataFrame:
    """Return what each raw column adds to the model's score of training records.

    Parameters
    ----------
    case : Case
    ids : iterable
        Record ids; removed ones are explained too, by the model that no longer knows them.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    DataFrame
        Indexed by record id, one column per raw column of the model: SHAP values towards `pos_label`. ``attrs["base_value"]`` is what they
        start from, ``attrs["output"]`` what they add up to with it, as suits the model: "log-odds", "probability" or, where log-odds would
        and there are more than two classes, "centred log-ratio": the log-probability of `pos_label`, less the mean of all classes'
        log-probabilities. ``attrs["explained"]`` is `pos_label`.

    Raises
    ------
    InputError
        If an id is unknown or given twice.
    NotSupportedError
        If the model is of another kind, or its preprocessing makes one feature of several raw columns.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, reasons
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 0, 1, 1] * 5})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> found = reasons(Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"])), [0, 3])
    >>> (found["income"] > 0).tolist(), found.attrs["output"]
    ([False, True], 'log-odds')
    """
    positions = _positions(case, ids)
    if case.randomised:
        raise NotSupportedError(
            f"Reasons are given for models with one score a row. A {type(case.model).__name__} has thresholds of each group; make the "
            "case from the estimator inside it (its estimator_)."
        )
    explainer, owners = _explainer_of(case), _owners(case)
    rows = _transformed(case, case.X_train.iloc[positions])
    values, base, output = explainer.explain(
        case, rows, lambda: _transformed(case, case.X_train[case.retained]), progress or _silent
    )
    _check_sum(case, values.sum(axis=1) + base, output, positions)
    by_column = np.column_stack([values[:, owners == number].sum(axis=1) for number in range(len(case.features))])
    table = pd.DataFrame(by_column, index=case.record_ids[positions], columns=list(case.features))
    table.attrs.update(base_value=base, output=output, explained=case.roles.pos_label)
    return table


@formerly("n_records", "seed", "progress")
def mean_reasons(
    case: Case, *, n_records: int | None = None, seed: int = 0, progress: Progress | None = None
) -> pd.Series[float]:
    """Return how much each raw column adds to or takes from the model's score on average.

    Mean absolute SHAP values.

    The records are drawn by the seed from the whole training table, so that all cases made from one another are asked about the
    same ones. Deep trees cost O(leaves * depth^2) a record.

    Parameters
    ----------
    case : Case
    n_records : int, optional
        How many training records to take the mean over; None is 100, and down to 10 where deep trees make each one dear.
    seed : int
        Draws them.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel.

    Returns
    -------
    Series
        Indexed by raw column, largest first. ``attrs`` holds ``output`` as `reasons` gives it, and ``n_records``.

    Raises
    ------
    InputError
        If `n_records` is no whole number of at least 1, or `seed` none.
    NotSupportedError
        As for `reasons`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, mean_reasons
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 0, 1, 1] * 5})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> mean_reasons(Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))).index.tolist()
    ['income']
    """
    check_case(case)
    check_seed(seed)
    wanted = _affordable(case) if n_records is None else whole_number("n_records", n_records)
    n_records = min(wanted, len(case.record_ids))
    drawn = np.sort(np.random.default_rng(seed).choice(len(case.record_ids), n_records, replace=False))
    found = reasons(case, case.record_ids[drawn], progress=progress)
    means = found.abs().mean().sort_values(ascending=False, kind="stable")
    means.attrs.clear()
    means.attrs.update(output=found.attrs["output"], n_records=n_records)
    return means


def _explainer_of(case: Case) -> Explainer:
    family = family_of(case.model)
    if family is not None and family.explainer is not None:
        return family.explainer
    raise NotSupportedError(
        f"Reasons are SHAP values of a model's columns; {lacking(case.model, 'they are', 'explainer')}."
    )


def _affordable(case: Case) -> int:
    """Return how many records to explain: fewer where each one is dear."""
    family = family_of(case.model)
    steps = family.explainer.steps(case) if family and family.explainer else 0.0
    return USUAL_RECORDS if not steps else int(np.clip(DEAR / steps, FEWEST_RECORDS, USUAL_RECORDS))


def _silent(share: float, doing: str) -> None:
    """Report to nobody."""


def _positions(case: Case, ids: Iterable[Any]) -> npt.NDArray[np.intp]:
    check_case(case)
    check_items("ids", ids, "record ids")
    wanted = pd.Index(list(ids))
    if not all(isinstance(one, Hashable) for one in wanted):
        raise InputTypeError(f"Each id must be that of one record. Got {listed(wanted[:1])}; write them in one list.")
    if len(wanted) == 0:
        raise InputError("Reasons need at least one record id. Got none.")
    if wanted.has_duplicates:
        raise InputError(
            f"Each id must be given once. Got {listed(wanted[wanted.duplicated()].unique())} more than once."
        )
    found = case.record_ids.get_indexer(wanted)
    if (found < 0).any():
        unknown = listed(wanted[found < 0])
        raise InputError(f"Every id must be a record of the training table. Unknown: {unknown}.")
    return np.asarray(found)


def _transformed(case: Case, table: pd.DataFrame) -> Floats:
    """Return rows as the last step of the model gets them."""
    data: Any = model_rows(case.model, table)
    if isinstance(case.model, Pipeline):
        data = case.model[:-1].transform(data)
    try:
        return reals(data)
    except (TypeError, ValueError) as error:
        raise NotSupportedError(
            f"Reasons are given for columns of numbers. What the last step of the model takes holds others ({said(error)}); encode them in a pipeline "
            "before it."
        ) from error


def _owners(case: Case) -> npt.NDArray[np.intp]:
    """Return which raw column each transformed feature is made of.

    The one that changes it when it alone changes; -1 if none does.
    """
    if not isinstance(case.model, Pipeline):
        return np.arange(len(case.features))
    probes, owner_of = [case.X_train.iloc[[0]]], [-1]
    for number, name in enumerate(case.features):
        values = case.X_train[name].drop_duplicates()
        values = values.iloc[np.unique(np.linspace(0, len(values) - 1, MOST_VALUES).astype(int))]
        probe = case.X_train.iloc[np.zeros(len(values), dtype=int)].copy()
        probe[name] = values.to_numpy() if values.dtype == object else values.array
        probes.append(probe)
        owner_of += [number] * len(values)
    features = _transformed(case, pd.concat(probes))
    moved = ~np.isclose(features, features[0], rtol=0.0, atol=0.0, equal_nan=True)
    at = np.array(owner_of)
    moves = np.array([moved[at == number].any(axis=0) for number in range(len(case.features))])
    if (moves.sum(axis=0) > 1).any():
        mixed = [case.features[number] for number in np.flatnonzero(moves[:, moves.sum(axis=0) > 1].any(axis=1))]
        raise NotSupportedError(
            f"Reasons by column need features made of one column each. The preprocessing mixes {listed(mixed)}; explain a model without that step."
        )
    return np.where(moves.any(axis=0), moves.argmax(axis=0), -1)


def _check_sum(case: Case, sums: Floats, output: str, positions: npt.NDArray[np.intp]) -> None:
    table = model_rows(case.model, case.X_train.iloc[positions])
    if output == CENTRED:
        by_class = np.asarray(case.model.decision_function(table))
        scores = by_class[:, case.pos_column] - by_class.mean(axis=1)
    else:
        scores = positive_scores(case.model, table, case.pos_column)
    found = expit(sums) if output == "log-odds" else sums
    if not np.allclose(found, scores, rtol=0.0, atol=CLOSE):
        raise NotSupportedError(
            f"Reasons must add up to the model's score. They miss it by up to {np.abs(found - scores).max():.2g} for this model."
        )
