"""Self-influence: what removing a training record does to the loss of its own label.

A record whose own removal would let the model turn against its label is one the model could only memorise.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from core.case.case import Case
from core.errors import NotSupportedError
from core.families.registry import family_of, lacking
from core.typing import Floats


def self_influence(case: Case) -> Floats:
    """Return how much the logistic loss of every row's own label would rise without it.

    The shape is (n_train,).

    One pass over the rows, times the stages of a model that has them. Removed rows may hold anything.

    Raises
    ------
    NotSupportedError
        If it is not known for the model's family, or the model cannot be adopted.
    """
    family = family_of(case.model)
    if family is None or family.self_influence is None:
        raise NotSupportedError(lacking(case.model, "self-influence is", "self_influence"))
    reason = None if family.unlearner is None else family.unlearner.fits(case)
    if reason is not None:
        raise NotSupportedError(reason)
    raw, moved = family.self_influence(case)
    return _losses(case, raw + moved) - _losses(case, raw)


def _losses(case: Case, raw: Floats) -> Floats:
    """Return the loss of every training row's own label at predictions.

    These are of class 1 or of all classes.
    """
    if raw.shape[1] == 1:
        return np.asarray(np.logaddexp(0.0, np.where(case.train_codes == 1, -1.0, 1.0) * raw[:, 0]))
    own = np.take_along_axis(raw, case.train_codes[:, None].astype(np.intp), axis=1)[:, 0]
    return np.asarray(logsumexp(raw, axis=1) - own)
