"""Records that outweigh all others: the reason for training again names what it can be."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

import core
from tests.conftest import make_table


def test_a_record_of_huge_weight_is_named_among_the_causes() -> None:
    table = make_table(200, 5).assign(weight=1.0)
    table.loc[3, "weight"] = 1e12
    model = LogisticRegression(solver="newton-cholesky", tol=1e-12)
    model.fit(table[["age", "debt"]], table["granted"], sample_weight=table["weight"])
    roles = core.Roles("granted", 1, 1, ["sex"], record_id="person", sample_weight="weight")
    result = core.unlearn(core.Case(model, table, table, roles), ["p3"])
    assert result.method == "refit"
    assert np.isfinite(result.case.scores("explore")).all()
    assert "outweigh all others by far" in " ".join(result.notes)
