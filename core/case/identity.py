"""What names a case: digests of its tables, roles, model, threshold, and of the records it knows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import joblib
import pandas as pd

if TYPE_CHECKING:
    from core.case.case import Case


def digest_of_data(case: Case) -> str:
    """Return the hex digest of both tables, the roles and the split."""
    digest = hashlib.sha256(repr(sorted(case.roles.to_dict().items(), key=lambda item: item[0])).encode())
    for table in (case.train, case.test):
        digest.update(repr(list(table.columns)).encode())
        digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
    digest.update(case.confirm_mask.tobytes())
    return digest.hexdigest()


def digest_of_case(case: Case) -> str:
    """Return the hex digest of the data, the model, the threshold, the retained rows and their labels and weights."""
    parts = [case.data_digest, joblib.hash(case.model), repr(case.threshold), joblib.hash(case.retained)]
    if case.edits is not None:
        parts += [joblib.hash(case.edits.train_codes), joblib.hash(case.edits.train_weight)]
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()
