"""Suspicious labels: those that neither other records nor the model itself would give.

Out-of-fold loss asks models that did not see the record; its order is that of self-confidence in confident learning. Self-influence
asks how much the record's own presence holds up its label. A record is as suspicious as the mean of its two ranks.

References
----------
Northcutt, C., Jiang, L. and Chuang, I. (2021). Confident learning: estimating uncertainty in dataset labels. JAIR 70.
Koh, P. W. and Liang, P. (2017). Understanding black-box predictions via influence functions. ICML.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from core.case.case import Case, check_case
from core.case.door import check_seed
from core.case.group_thresholds import scorer
from core.errors import InputError, NotSupportedError
from core.former import formerly
from core.records.self_influence import self_influence
from core.typing import Floats, Positions, Progress
from core.unlearning.base import model_input
from core.unlearning.refit import fit_again

TINIEST = 1e-15


@formerly()
def suspicious_labels(case: Case, *, n_folds: int = 5, seed: int = 0, progress: Progress | None = None) -> pd.DataFrame:
    """Rank the retained training records by how little their label is to be believed.

    Costs `n_folds` fits of the model.

    Parameters
    ----------
    case : Case
    n_folds : int
        Parts the records are cut into, at least 2; each is judged by a model trained on the others. Records of one subject stay
        together.
    seed : int
        Seed of the cut.
    progress : callable, optional
        Called with the share done and what is being done before each fit; may raise to cancel.

    Returns
    -------
    DataFrame
        Indexed by record id, the most suspicious first: ``label``; ``probability`` that models without the record give its label
        (NaN where the model gives none); ``loss``, the logistic loss of that; ``self_influence``, the rise of the record's loss if it
        were removed (NaN where it is not known for the model); ``suspicion``, the mean of both ranks from 0 to 1. ``attrs["notes"]``
        says what was left out.

    Raises
    ------
    InputError
        If there are fewer records of a class than folds, or the model cannot be fitted on a part of them.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from core import Case, Roles, suspicious_labels
    >>> table = pd.DataFrame({"income": np.linspace(-2, 2, 60), "sex": ["f", "m"] * 30})
    >>> table["granted"] = (table.income > 0).astype(int)
    >>> table.loc[3, "granted"] = 1
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> int(suspicious_labels(case).index[0])
    3
    """
    check_case(case)
    check_seed(seed)
    kept = np.flatnonzero(case.retained)
    confidence, is_probability = _out_of_fold(case, kept, n_folds, seed, progress)
    loss = -np.log(np.maximum(confidence, TINIEST))
    own, notes = np.full(len(kept), np.nan), list[str]()
    try:
        own = self_influence(case)[kept]
    except NotSupportedError as error:
        notes.append(f"Ranked by out-of-fold loss alone: {error}.")
    ranks = [rankdata(values) / len(kept) for values in (loss, own) if not np.isnan(values).any()]
    table = pd.DataFrame(
        {
            "label": case.train_labels[kept],
            "probability": confidence if is_probability else np.nan,
            "loss": loss,
            "self_influence": own,
            "suspicion": np.mean(ranks, axis=0),
        },
        index=case.record_ids[kept],
    ).sort_values("suspicion", ascending=False, kind="stable")
    table.attrs["notes"] = tuple(notes)
    if progress is not None:
        progress(1.0, "Done")
    return table


def _out_of_fold(
    case: Case, kept: Positions, n_folds: int, seed: int, progress: Progress | None
) -> tuple[Floats, bool]:
    """Return what models trained without each record give its label.

    With whether that is a probability.
    """
    confidence, probability = np.empty(len(kept)), True
    for fold, held in enumerate(_folds(case, kept, n_folds, seed)):
        if progress is not None:
            progress(fold / n_folds, f"Training without part {fold + 1} of {n_folds}")
        rest = case.retained.copy()
        rest[kept[held]] = False
        model, _ = fit_again(case, rest)
        confidence[held], probability = _confidence(scorer(model), case, kept[held])
    return confidence, probability


def _folds(case: Case, kept: Positions, n_folds: int, seed: int) -> list[Positions]:
    codes = case.train_codes[kept]
    fewest = int(np.bincount(codes)[np.unique(codes)].min())
    if not isinstance(n_folds, int) or not 2 <= n_folds <= fewest:
        raise InputError(
            f"n_folds must be a whole number from 2 to the records of the rarest class, {fewest:,} here. Got {n_folds!r}; 5 is usual."
        )
    cut: Any = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    subjects = None
    if case.subject_ids is not None:
        cut = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        subjects = pd.factorize(case.subject_ids[kept])[0]
    return [np.asarray(held) for _, held in cut.split(np.zeros(len(kept)), codes, subjects)]


def _confidence(model: Any, case: Case, rows: Positions) -> tuple[Floats, bool]:
    """Return what a model gives the labels of some training rows.

    Probabilities, or decision values through a logistic curve.
    """
    X, codes = model_input(case, rows), case.train_codes[rows]
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(X), dtype=np.float64)[np.arange(len(rows)), codes], True
    values = np.asarray(model.decision_function(X), dtype=np.float64)
    own = values[np.arange(len(rows)), codes] if values.ndim == 2 else np.where(codes == 1, values, -values)
    return np.exp(-np.logaddexp(0.0, -own)), False
