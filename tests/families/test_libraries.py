"""XGBoost, LightGBM and CatBoost: held against the libraries themselves, and against training again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

import core
from core.case.libraries.models import own_names
from core.errors import InputError, NotSupportedError
from core.families.registry import family_of
from tests.families.libraries import FEATURES, LIBRARIES, ROLES, TEST, TRAIN, case_of, fitted, piped, unfitted

MODELS = pytest.mark.parametrize("library", LIBRARIES)
WAYS = pytest.mark.parametrize("make", [fitted, piped])


@MODELS
@WAYS
def test_scores_and_reasons_are_those_of_the_library(library, make):
    model = make(library)
    case = case_of(model)
    assert family_of(model).explainer is not None
    np.testing.assert_array_equal(case.scores("test"), model.predict_proba(TEST[FEATURES])[:, 1])
    found = core.reasons(case, case.record_ids[:7])
    own = model.predict_proba(TRAIN[FEATURES][:7])[:, 1]
    np.testing.assert_allclose(expit(found.sum(axis=1) + found.attrs["base_value"]), own, atol=1e-5)
    other = core.reasons(case_of(model, roles=replace(ROLES, pos_label=0)), case.record_ids[:7])
    np.testing.assert_allclose(other, -found)


@MODELS
@WAYS
def test_a_removal_equals_training_without_the_records(library, make):
    model = make(library)
    result = core.unlearn(case_of(model), [0, 5, 9])
    again = clone(model).fit(TRAIN[FEATURES].drop([0, 5, 9]), TRAIN["granted"].drop([0, 5, 9]))
    np.testing.assert_array_equal(result.case.scores("test"), again.predict_proba(TEST[FEATURES])[:, 1])
    assert (result.method, result.guarantee.value) == ("refit", "exact")
    assert core.check_provenance(result.case).status == "verified"


@MODELS
def test_other_rows_or_labels_are_not_called_those_it_was_trained_on(library):
    model, other = fitted(library), TRAIN.copy()
    assert core.check_provenance(case_of(model)).status == "verified"
    other.loc[3, "granted"] = 1 - other.loc[3, "granted"]
    found = core.check_provenance(case_of(model, other))
    assert found.status == "unverifiable"
    assert "training again on these rows" in found.evidence


@MODELS
def test_two_trainings_alike_are_one_case_and_asking_changes_none(library):
    one = case_of(fitted(library))
    other = case_of(unfitted(library).set_params(**_threads(library)).fit(TRAIN[FEATURES], TRAIN["granted"]))
    assert one.key == other.key
    core.reasons(one, [1])
    one.check_unchanged()
    assert case_of(unfitted(library).fit(TRAIN[FEATURES][1:], TRAIN["granted"][1:])).key != one.key


def _threads(library):
    return {"thread_count" if library == "catboost" else "n_jobs": 1}


@MODELS
def test_names_that_a_library_makes_up_are_none(library):
    named, unnamed = fitted(library), unfitted(library).fit(TRAIN[FEATURES].to_numpy(), TRAIN["granted"])
    assert own_names(named).tolist() == FEATURES
    assert own_names(unnamed) is None
    np.testing.assert_array_equal(case_of(named).scores("test"), case_of(unnamed).scores("test"))


@MODELS
def test_groups_are_measured_by_training_again_within_the_time_given(library):
    found = core.explain_gap(
        case_of(fitted(library)), "selection_rate_difference", max_predicates=1, top_k=1, seconds=1.0
    )
    assert any("measured by training the model again" in note for note in found.notes)
    for one in found:
        case = case_of(fitted(library))
        after = core.unlearn(case, one.forget).case
        row = core.compare(case, after, metric="selection_rate_difference", on="explore").iloc[0]
        assert (one.before, one.after) == pytest.approx((row["before"], row["after"]))


def test_a_model_whose_training_is_unknown_is_not_trained_again():
    model = fitted("xgboost")
    model.unknown_training = "its file holds no parameters"
    case = case_of(model)
    assert not any(one.fits for one in core.unlearners_for(case))
    for call in (
        lambda: core.unlearn(case, [1]),
        lambda: core.refit(case),
        lambda: core.unlearn(case, [1], method="refit"),
    ):
        with pytest.raises(NotSupportedError, match="its file holds no parameters"):
            call()
    assert core.check_provenance(case).status == "unverifiable"


def test_parameters_that_cannot_be_copied_are_a_sentence():
    catboost = pytest.importorskip("catboost")
    train, test = (one.assign(town="a") for one in (TRAIN, TEST))
    model = catboost.CatBoostClassifier(iterations=3, cat_features=["town"], verbose=False, allow_writing_files=False)
    case = core.Case(
        model.fit(train[[*FEATURES, "town"]], train["granted"]), train, test, core.Roles("granted", 1, 1, ["sex"])
    )
    with pytest.raises(InputError, match="Give those that are lists as tuples"):
        core.unlearn(case, [1])


@MODELS
def test_columns_with_spaces_in_their_names_are_found(library):
    train, test = (one.rename(columns={"income": "income per year"}) for one in (TRAIN, TEST))
    columns = ["income per year", "age", "debt"]
    model = unfitted(library).fit(train[columns], train["granted"])
    case = core.Case(model, train, test, core.Roles("granted", 1, 1, ["sex"], features=columns))
    assert case.features == tuple(columns)
    np.testing.assert_array_equal(case.scores("test"), model.predict_proba(test[columns])[:, 1])
    assert core.reasons(case, [1]).columns.tolist() == columns
    assert core.unlearn(case, [1]).case.n_retained == len(train) - 1
