"""A linear model's features as sums of atoms.

What preprocessing fitted on the rows that stay gives, known from sums over them.

Whatever a linear model's loss, its preprocessing is followed in this way.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from core.case.case import Case
from core.case.scoring import model_rows, reals
from core.errors import NotSupportedError
from core.typing import Floats
from core.unlearning.base import model_input
from core.unlearning.preprocessing.atoms import AtomBuilder, AtomCheck, AtomTable, Sums
from core.unlearning.preprocessing.blocks import EPS, Block, Linear, Raw, as_linear
from core.unlearning.preprocessing.chain import ask_for_atoms, refit_from_sums

ROWS_COMPARED = 500
REPRODUCED = 1e-8
"""Features must be those of the refitted transformers to within this."""


def check_features(case: Case) -> None:
    """Raise unless the preprocessing and its columns are ones that can be updated.

    Reads no values.
    """
    _request(case, AtomCheck(case.X_train, case.X_test))


def atoms_of(case: Case) -> AtomTable:
    """Return the atoms of the case's columns, of training and test rows."""
    builder = AtomBuilder(case.X_train, case.X_test)
    _request(case, builder)
    return builder.build()


def _request(case: Case, builder: AtomBuilder | AtomCheck) -> None:
    left: tuple[str, ...] | None = case.features
    if isinstance(case.model, Pipeline):
        left = ask_for_atoms(case.model[:-1], left, builder)
    for name in left or ():
        builder.number(name)


def preprocess(model: Any, features: tuple[str, ...], sums: Sums, atoms: AtomTable) -> tuple[Any, Linear]:
    """Return a model's preprocessing as fitted on the rows of the sums, and its features.

    It is None where the model has none.
    """
    start: Block = Raw(features)
    if not isinstance(model, Pipeline):
        return None, as_linear(start, atoms)
    fitted, block = refit_from_sums(model[:-1], start, sums, atoms)
    return fitted, as_linear(block, atoms)


def compare_features(case: Case, fitted: Any, atoms: AtomTable, A: Floats) -> None:
    """Raise unless preprocessing really gives the features that the sums say.

    In some hundred rows: preprocessing as assembled from the sums, and as scikit-learn fits it on the retained rows.

    Parameters
    ----------
    case : Case
    fitted : transformer or None
    atoms : AtomTable
    A : ndarray, shape (n_atoms, at least n_features)
        What every feature adds up from.
    """
    if fitted is None or not fitted.steps:
        return
    some = np.linspace(0, len(case.X_train) - 1, min(len(case.X_train), ROWS_COMPARED)).astype(int)
    rows = model_rows(case.model, case.X_train.iloc[some])
    given = reals(fitted.transform(rows))
    expected = atoms.train[some] @ A[:, : given.shape[1]]
    again = clone(case.model[:-1]).fit(model_input(case, case.retained), case.train_labels[case.retained])
    if _alike(expected, given) and _alike(given, reals(again.transform(rows))):
        return
    name, far = max(
        ((column.name, abs(column.center) / column.spread) for column in atoms.numeric.values()),
        key=itemgetter(1),
        default=("", 0.0),
    )
    if EPS * far > 0.1 * REPRODUCED:
        raise NotSupportedError(
            f"column {name!r} lies {far:.1g} times its spread from zero, so that the preprocessing itself rounds its values by more than is "
            "certified; subtract a constant from it before training"
        )
    raise NotSupportedError("the preprocessing does something that updating it from sums does not reproduce")


def _alike(one: Floats, other: Floats) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=REPRODUCED, atol=REPRODUCED))
