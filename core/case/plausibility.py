"""Signs that a model and its rows do not belong together.

Each is a sentence to read before a figure is believed. None of them proves anything; each says what was seen, and what it mostly comes from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.naive_bayes import CategoricalNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from core.case.group_thresholds import scorer
from core.case.scoring import column_names, final_estimator
from core.errors import listed
from core.former import formerly
from core.typing import Floats
from core.words import percent

if TYPE_CHECKING:
    from core.case.case import Case

SATURATED = 1e-3
"""A probability this near to 0 or 1 counts as one of them."""
NEARLY_ALL = 0.95
FEW_WRONG = 0.01
"""A feature reproduces the label where it tells all but this share of the rarer labels."""
LEAST_ROWS = 50
LEAST_RARE = 5
ROWS_A_VALUE = 5
"""Rows that a value of a category must have on average, or it tells the row and not the label."""
STANDARD_MEAN, STANDARD_SD = 1.0, 2.0
_MEMORIZE = (DecisionTreeClassifier, KNeighborsClassifier, CategoricalNB)


@formerly()
def warnings_for(case: Case) -> tuple[str, ...]:
    """Return what speaks against a model belonging to the rows of a case, a sentence each.

    Cost: the scores of the test rows, and one sorting of every feature of the training rows.

    Parameters
    ----------
    case : Case

    Returns
    -------
    tuple of str
        Empty where nothing was seen, which proves nothing.

    Examples
    --------
    >>> from core.files.cases.storage import load_case
    >>> warnings_for(load_case("credit"))
    ()
    """
    estimator = scorer(case.model)
    rows = case.test[list(case.features)]
    X = rows if column_names(case.model) is not None else rows.to_numpy()
    scores = estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else None
    return signs(case.model, case.train, case.features, case.roles.target, scores)


def signs(
    model: Any, train: pd.DataFrame, features: Sequence[str], target: str, scores: npt.ArrayLike | None
) -> tuple[str, ...]:
    """Return what `warnings_for` does, of a model and rows that are no case yet.

    Parameters
    ----------
    model : object
        Fitted.
    train : DataFrame
        Training rows.
    features : sequence of str
        The columns that the model gets, in its order.
    target : str
        The column of the label.
    scores : array of shape (n, n_classes), optional
        Probabilities of some rows; None where the model gives none.
    """
    found = (
        unnamed_columns(model, train[list(features)]),
        "" if scores is None else saturated_scores(model, np.asarray(scores, dtype=np.float64)),
        *(label_reproduced(train[target], train[name]) for name in features),
    )
    return tuple(one for one in found if one)


def unnamed_columns(model: Any, rows: pd.DataFrame) -> str:
    """Say where a model without names of columns gets columns that nothing prepared.

    Such a model prepares nothing itself, so that columns as a table has them may not be those it was fitted on.
    """
    first = scorer(model)
    if column_names(first) is not None or isinstance(first, Pipeline | ColumnTransformer):
        return ""
    raw = [name for name in rows.columns if not _is_prepared(rows[name])]
    if not raw:
        return ""
    kind = type(first).__name__
    return (
        f"{kind} stores no names of columns and prepares none: it gets {listed(rows.columns, most=4)} in this order, and {listed(raw, most=3)} as the "
        "table has them. If it was fitted on scaled or encoded columns, add the file of what prepared them; if on others, put them in its order."
    )


def _is_prepared(column: pd.Series[Any]) -> bool:
    """Return whether a column may be a scaled or encoded one: numbers about 0, or 0 and 1."""
    if not pd.api.types.is_numeric_dtype(column):
        return False
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = values[np.isfinite(values)]
    return not len(values) or (abs(values.mean()) <= STANDARD_MEAN and values.std() <= STANDARD_SD)


def saturated_scores(model: Any, scores: Floats) -> str:
    """Say where nearly all probabilities of a model are 0 or 1.

    Of models that learn rows by heart nothing is said.
    """
    if scores.ndim != 2 or len(scores) < LEAST_ROWS or isinstance(final_estimator(scorer(model)), _MEMORIZE):
        return ""
    near = (np.minimum(scores, 1.0 - scores) <= SATURATED).all(axis=1)
    if near.mean() < NEARLY_ALL:
        return ""
    alike = np.bincount(scores.argmax(axis=1)).max() / len(scores)
    same = f", and {percent(alike)} of rows are decided alike" if alike >= NEARLY_ALL else ""
    return (
        f"{percent(near.mean())} of {len(scores):,} rows score within {SATURATED:g} of 0 or 1{same}. A model fitted on scaled columns does so where it "
        "gets them unscaled, and every gap is then near 0; add its scaler, or hand in the table it was fitted on."
    )


def label_reproduced(label: pd.Series[Any], column: pd.Series[Any]) -> str:
    """Say where a column tells the label of nearly every row.

    It may do so by its values, or by one cut through its numbers.
    """
    known = label.notna().to_numpy()
    codes, values = pd.factorize(label[known])
    counts = np.bincount(codes, minlength=len(values))
    rare = int(counts.sum() - counts.max()) if len(counts) else 0
    if len(codes) < LEAST_ROWS or rare < LEAST_RARE:
        return ""
    held = column[known]
    wrong, how = _wrong_by_value(codes, held, len(values)), "Each of its values stands with one label"
    if pd.api.types.is_numeric_dtype(held) and len(values) == 2:
        by_cut = _wrong_by_cut(codes, held.to_numpy(dtype=np.float64, na_value=np.nan))
        if wrong is None or by_cut < wrong:
            wrong, how = by_cut, "One cut through its numbers tells the label"
    if wrong is None or wrong > FEW_WRONG * rare:
        return ""
    return (
        f"{str(column.name)!r} reproduces the label {str(label.name)!r}. {how} in {len(codes) - wrong:,} of {len(codes):,} training rows; "
        "if it was known only after the outcome, train without it."
    )


def _wrong_by_value(codes: npt.NDArray[np.intp], column: pd.Series[Any], n_labels: int) -> int | None:
    places, values = pd.factorize(column, use_na_sentinel=False)
    if len(values) * ROWS_A_VALUE > len(codes):
        return None
    table = np.zeros((len(values), n_labels), dtype=np.int64)
    np.add.at(table, (places, codes), 1)
    return int(table.sum() - table.max(axis=1).sum())


def _wrong_by_cut(codes: npt.NDArray[np.intp], numbers: Floats) -> int:
    """Return how many labels the best single cut gets wrong.

    Missing numbers stand below all others.
    """
    filled = np.where(np.isnan(numbers), -np.inf, numbers)
    order = np.argsort(filled, kind="stable")
    ordered, ones = filled[order], np.concatenate([[0], np.cumsum(codes[order])])
    cuts = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])
    below, n, total = np.arange(len(codes) + 1), len(codes), ones[-1]
    wrong = ones + (n - below) - (total - ones)  # ones below the cut, zeros above it
    return int(np.minimum(wrong, n - wrong)[cuts].min())
