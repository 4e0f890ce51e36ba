import io
import pickle
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.neighbors import KNeighborsClassifier

import core


def _joblib(model: Any) -> bytes:
    out = io.BytesIO()
    joblib.dump(model, out)
    return out.getvalue()


@pytest.mark.parametrize("write", [pickle.dumps, _joblib, skops.io.dumps])
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree", "brute"])
@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.bool_, np.float32, np.float64])
def test_neighbours_fitted_on_any_kind_of_number_score_as_they_did(write: Any, algorithm: str, kind: Any) -> None:
    draw = np.random.default_rng(0)
    rows = draw.integers(0, 2 if kind is np.bool_ else 9, (60, 3)).astype(kind)
    model = KNeighborsClassifier(5, algorithm=algorithm).fit(rows, draw.integers(0, 2, 60))
    assert model._fit_X.dtype == kind
    opened = core.load_model(write(model))
    np.testing.assert_array_equal(opened.predict_proba(rows), model.predict_proba(rows))
