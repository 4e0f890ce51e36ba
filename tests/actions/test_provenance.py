"""Provenance of models that nothing is known of."""

from __future__ import annotations

from sklearn.ensemble import AdaBoostClassifier

import core
from tests.conftest import make_table

TRAIN, TEST = make_table(2000, 21), make_table(400, 22)
ROLES = core.Roles("granted", 1, 1, ["sex"], record_id="person")


def test_other_kinds_of_models_are_unverifiable():
    model = AdaBoostClassifier(n_estimators=5).fit(TRAIN[["age", "debt"]], TRAIN["granted"])
    found = core.check_provenance(core.Case(model, TRAIN, TEST, ROLES))
    assert (found.status, found.converge, found.refit) == ("unverifiable", False, False)
    assert "AdaBoostClassifier" in found.evidence
