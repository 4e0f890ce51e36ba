"""Arguments of the wrong kind end in a sentence, and a pipeline's names are found behind what it passes on."""

from __future__ import annotations

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.errors import InputError, InputTypeError


def test_arguments_of_the_wrong_kind(small_case: core.Case) -> None:
    with pytest.raises(InputTypeError, match="Metrics must be a name"):
        core.audit(small_case, 5)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="Features must be"):
        core.audit(small_case, "accuracy", features=5)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="must be the Series"):
        core.harmful([1, 2])  # type: ignore[arg-type]
    for seed, kind in (("x", InputTypeError), (-1, InputError)):
        with pytest.raises(kind, match="seed must"):
            core.Case(small_case.model, small_case.train, small_case.test, small_case.roles, seed=seed)  # type: ignore[arg-type]


def test_a_first_step_that_passes_everything_on_hides_no_names(small_case: core.Case) -> None:
    columns = ["debt", "age"]
    steps = [
        ("first", "passthrough"),
        ("scale", StandardScaler()),
        ("fit", LogisticRegression(tol=1e-12, max_iter=999)),
    ]
    model = Pipeline(steps).fit(small_case.train[columns], small_case.train["granted"])
    case = core.Case(model, small_case.train, small_case.test, small_case.roles)
    assert case.features == ("debt", "age")
    assert core.check_provenance(case).status == "verified"
    assert core.unlearn(case, case.record_ids[:3]).method == "newton"
