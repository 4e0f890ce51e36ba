"""The gradient tells the rows that logistic regression was trained on from others, and says when it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import core
from tests.conftest import make_graded_table, make_pipeline_for, make_table

TRAIN, TEST = make_table(2000, 21), make_table(400, 22)
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")


def case_on(train, **options):
    return core.Case(make_pipeline_for(TRAIN, **options), train=train, test=TEST, roles=ROLES)


@pytest.mark.parametrize(
    "options",
    [{}, {"class_weight": "balanced"}, {"class_weight": {1: 2.0}}, {"fit_intercept": False}, {"C": 0.01}],
    ids=str,
)
def test_the_rows_it_was_trained_on_are_verified(options):
    found = core.check_provenance(case_on(TRAIN, **options))
    assert (found.status, found.converge) == ("verified", False)
    assert "one average row" in found.evidence


GRADED = make_graded_table(800, 21)
OF_THREE = ROLES.with_(pos_label="late", favorable_label="late")


def graded_case(train, **options):
    return core.Case(make_pipeline_for(GRADED, **options), train=train, test=GRADED, roles=OF_THREE)


@pytest.mark.parametrize(
    "options",
    [{"class_weight": "balanced"}, {"class_weight": {"late": 2.0}}, {"fit_intercept": False}, {"C": 0.01}],
    ids=str,
)
def test_the_rows_of_three_classes_are_verified(options):
    found = core.check_provenance(graded_case(GRADED, **options))
    assert (found.status, found.converge) == ("verified", False)
    assert "one average row" in found.evidence


def test_one_label_of_three_that_is_another_is_noticed():
    changed = GRADED.copy()
    row = changed.index[changed["granted"] == "late"][0]
    changed.loc[row, "granted"] = "refused"
    found = core.check_provenance(graded_case(changed))
    assert (found.status, found.refit) == ("mismatch", True)
    assert "changed rows" in found.evidence


def test_coefficients_of_all_classes_moved_alike_are_noticed_and_intercepts_are_not():
    model = make_pipeline_for(GRADED)
    model[-1].intercept_ = model[-1].intercept_ + 1.0
    case = core.Case(model, train=GRADED, test=GRADED, roles=OF_THREE)
    assert core.check_provenance(case).status == "verified"
    model[-1].coef_ = model[-1].coef_ + 1.0
    case = core.Case(model, train=GRADED, test=GRADED, roles=OF_THREE)
    assert core.check_provenance(case).status == "mismatch"


def test_three_classes_stopped_short_are_verified_by_training_again_and_can_be_converged():
    case = graded_case(GRADED, solver="lbfgs", tol=1e-2)
    found = core.check_provenance(case)
    assert (found.status, found.converge) == ("verified", True)
    assert "stops at the same coefficients" in found.evidence
    assert core.check_provenance(core.converge(case).case).status == "verified"


def test_flipped_labels_leave_a_gradient():
    flipped = TRAIN.copy()
    flipped.loc[:19, "granted"] = 1 - flipped.loc[:19, "granted"]
    found = core.check_provenance(case_on(flipped))
    assert found.status == "mismatch"
    assert "changed rows" in found.evidence


def test_one_missing_row_is_noticed():
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(TRAIN[["age", "debt"]], TRAIN["granted"])
    found = core.check_provenance(core.Case(model, train=TRAIN.iloc[1:].reset_index(drop=True), test=TEST, roles=ROLES))
    assert found.status == "mismatch"


STOPPED = [({"tol": 1e-2}, "within its tolerance"), ({"max_iter": 3, "tol": 1e-9}, "max_iter=3")]


@pytest.mark.parametrize(("options", "why"), STOPPED)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_solver_stopped_short_is_verified_by_training_again_and_can_be_converged(options, why):
    case = case_on(TRAIN, solver="lbfgs", **options)
    found = core.check_provenance(case)
    assert (found.status, found.converge) == ("verified", True)
    assert why in found.evidence
    assert "stops at the same coefficients" in found.evidence
    assert core.check_provenance(core.converge(case).case).status == "verified"


@pytest.mark.parametrize(("options", "why"), STOPPED)
@pytest.mark.parametrize("row", [0, 3, 11, 100])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_solver_stopped_short_does_not_hide_one_other_label(options, why, row):
    flipped = TRAIN.copy()
    flipped.loc[row, "granted"] = 1 - flipped.loc[row, "granted"]
    found = core.check_provenance(case_on(flipped, solver="lbfgs", **options))
    assert (found.status, found.converge) == ("unverifiable", True)
    assert why in found.evidence
    assert "this test would not notice fewer" in found.evidence
    assert "training again gives coefficients" in found.evidence


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_default_settings_on_columns_of_other_sizes_are_verified():
    table = TRAIN.dropna().assign(debt=lambda rows: 1e4 * rows.debt).reset_index(drop=True)
    model = LogisticRegression().fit(table[["age", "debt", "income"]], table["granted"])
    assert core.check_provenance(core.Case(model, table, TEST.dropna(), ROLES)).status == "verified"


def test_directions_that_no_row_affects_count_for_nothing():
    """All jobs up and the intercept down moves no prediction: what a solver leaves there is no row's."""
    columns = make_column_transformer((OneHotEncoder(), ["job"]), (StandardScaler(), ["debt"]))
    table = TRAIN.dropna(subset=["job"]).reset_index(drop=True)
    model = make_pipeline(columns, LogisticRegression(tol=1e-3)).fit(table[["job", "debt"]], table["granted"])
    last = model[-1]
    last.coef_[0, :4] += 0.6
    last.intercept_ -= 0.6
    case = core.Case(model, table, TEST.dropna(subset=["job"]), ROLES)
    evidence = core.check_provenance(case).evidence
    unnoticed = int(evidence.split("as large as ")[1].split(" changed rows")[0].replace("about ", "").replace(",", ""))
    assert unnoticed <= 2
    assert "moved since in directions that no row affects" in evidence or "within its tolerance" in evidence
    [note] = [one for one in core.unlearn(case, [table["person"][0]]).notes if "short of its optimum" in one]
    assert float(note.split("move by up to ")[1].split(";")[0]) < 0.01


def test_weights_belong_to_the_training():
    weights = 1.0 + np.arange(len(TRAIN)) % 3
    table = TRAIN.assign(weight=weights)
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(
        table[["age", "debt"]], table["granted"], sample_weight=weights
    )
    assert (
        core.check_provenance(core.Case(model, table, TEST, ROLES.with_(sample_weight="weight"))).status == "verified"
    )
    assert core.check_provenance(core.Case(model, table, TEST, ROLES)).status == "mismatch"


def test_a_case_after_a_removal_is_verified_on_what_is_left(small_case):
    result = core.unlearn(small_case, small_case.record_ids[:40], tolerance=1e-9)
    assert core.check_provenance(result.case).status == "verified"
