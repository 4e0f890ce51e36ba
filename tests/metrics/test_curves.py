"""Curves against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

import core
from core.errors import InputError
from core.metrics.audit import audit
from core.metrics.curves import calibration_curves, errors_by_group, roc_curves, threshold_sweep


def test_roc_is_scikit_learns_and_its_area_the_audits(small_case: core.Case) -> None:
    curves = roc_curves(small_case, "sex")
    groups = small_case.groups("sex", "explore")
    areas = audit(small_case, ["roc_auc"], sensitive_feature=["sex"], on="explore").by_group["roc_auc"]
    for code, name in enumerate(groups.names):
        rows = groups.codes == code
        y, score = small_case.y("explore")[rows], small_case.scores("explore")[rows]
        curve = curves[curves["group"] == name]
        false, true, _ = roc_curve(y, score, drop_intermediate=False)
        expected = np.interp(curve["false_positive_rate"], false, true)
        assert np.all(np.diff(curve["false_positive_rate"]) >= 0)
        # Every point of the curve is one of scikit-learn's.
        pairs = {(round(x, 9), round(t, 9)) for x, t in zip(false, true, strict=True)}
        assert {
            (round(x, 9), round(t, 9))
            for x, t in zip(curve["false_positive_rate"], curve["true_positive_rate"], strict=True)
        } <= pairs
        assert len(curve) <= 201
        assert areas["sex", name] == pytest.approx(roc_auc_score(y, score))
        assert np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"]) == pytest.approx(
            roc_auc_score(y, score), abs=0.005
        )
        assert expected[-1] == 1.0


def test_calibration_bins_hold_everybody(small_case: core.Case) -> None:
    table = calibration_curves(small_case, "sex")
    assert table["n"].sum() == len(small_case.rows("explore"))
    assert (table["low"] <= table["observed"] + 1e-12).all()
    assert (table["observed"] <= table["high"] + 1e-12).all()
    # Within one bin of a tenth, the mean score lies in it.
    assert table["predicted"].between(0, 1).all()
    weighted = (table["observed"] * table["n"]).sum()
    assert weighted == pytest.approx(small_case.y("explore").sum())


def test_sweep_agrees_with_an_audit_at_the_same_threshold(small_case: core.Case) -> None:
    metric = "equal_opportunity_difference"
    sweep = threshold_sweep(small_case, metric, "sex", cost_false_positive=2.0, cost_false_negative=5.0)
    threshold = float(sweep.index[len(sweep) // 2])
    at = small_case.with_threshold(threshold)
    row = sweep.loc[threshold]
    report = audit(at, [metric, "accuracy"], sensitive_feature=["sex"], on="explore")
    assert row["gap"] == pytest.approx(report.gaps.loc[(metric, "sex"), "value"])
    assert row["accuracy"] == pytest.approx(report.overall["accuracy"])
    errors = errors_by_group(at, "sex", cost_false_positive=2.0, cost_false_negative=5.0)
    assert row["cost"] == pytest.approx(errors["cost"].sum())
    assert row["false_negatives"] == errors["false_negatives"].sum()
    assert errors["n"].sum() == len(small_case.rows("explore"))


def test_a_negative_cost_is_refused(small_case: core.Case) -> None:
    with pytest.raises(InputError, match="at least 0"):
        threshold_sweep(small_case, "accuracy", cost_false_positive=-1.0)
