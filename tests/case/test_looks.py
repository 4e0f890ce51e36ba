"""Describing, searching and confirming need different rows, and looks at the rows kept aside are counted."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import demographic_parity_difference

import core
from tests.conftest import make_pipeline_for, make_table

GAP = "demographic_parity_difference"


@pytest.fixture
def case() -> core.Case:
    train, test = make_table(600, 1), make_table(500, 2)
    return core.Case(
        make_pipeline_for(train), train, test, core.Roles("granted", 1, 1, ["sex", "age"], record_id="person")
    )


def test_a_model_as_opened_is_described_on_all_test_rows(case: core.Case) -> None:
    report = core.audit(case, GAP, sensitive_feature="sex")
    assert (report.on, report.n) == ("test", 500)
    predicted = case.model.predict(case.test[list(case.features)])
    truth = demographic_parity_difference(case.test["granted"], predicted, sensitive_features=case.test["sex"])
    assert report.gaps["value"].iloc[0] == pytest.approx(truth)
    assert core.audit(case.with_threshold(0.4), GAP).on == "test"


def test_a_model_that_was_changed_is_described_on_the_rows_that_were_searched(case: core.Case) -> None:
    after = core.unlearn(case, ["p1", "p2"]).case
    report = core.audit(after, GAP)
    assert (report.on, report.n) == ("explore", len(case.rows("explore")))
    assert core.audit(core.edit(case, relabel={"p3": 1 - int(case.train["granted"][3])}).case, GAP).on == "explore"


def test_the_same_table_and_roles_are_split_alike_by_every_way_in(case: core.Case, tmp_path: Path) -> None:
    train, test = case.train, case.test
    train.to_csv(tmp_path / "train.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    read = core.read_table(tmp_path / "test.csv").frame
    again = core.Case(case.model, core.read_table(tmp_path / "train.csv").frame, read, case.roles)
    assert np.array_equal(again.confirm_mask, case.confirm_mask)
    assert np.array_equal(core.load_case(case.save(tmp_path / "saved")).confirm_mask, case.confirm_mask)
    seeded = core.Case(case.model, train, test, case.roles, seed=7)
    assert not np.array_equal(seeded.confirm_mask, case.confirm_mask)


def test_looks_at_the_rows_kept_aside_are_counted_over_all_versions(case: core.Case, tmp_path: Path) -> None:
    core.audit(case, GAP)  # describes, and is no look
    core.audit(case, GAP, on="confirm")
    assert len(case.looks) == 0
    after = core.unlearn(case, ["p1", "p2"]).case
    core.audit(after, GAP)
    core.compare(case, after, metric=GAP)
    assert len(case.looks) == 0
    shift = core.compare(case, after, metric=GAP, on="confirm")
    assert shift.attrs["looks"] == 1
    assert core.audit(after, GAP, on="test").looks == 2
    assert len(case.looks) == len(core.unlearn(after, ["p5"]).case.looks) == 2
    saved = core.load_case(after.save(tmp_path / "after"))
    assert saved.looks.entries == case.looks.entries
    assert len(copy.deepcopy(after).looks) == 2


def test_without_rows_kept_aside_nothing_is_counted(case: core.Case) -> None:
    whole = core.Case(case.model, case.train, case.test, case.roles, confirm=False)
    after = core.unlearn(whole, ["p1"]).case
    core.audit(after, GAP, on="test")
    assert len(whole.looks) == 0


def test_damaged_notes_of_looks_are_named(case: core.Case, tmp_path: Path) -> None:
    folder = core.unlearn(case, ["p1"]).case.save(tmp_path / "case")
    settings = (folder / "case.toml").read_text()
    (folder / "case.toml").write_text(settings + '\n[confirm]\nlooked_at = ["today"]\nlooked_for = []\n')
    with pytest.raises(core.RedressError, match="looked_at and looked_for"):
        core.load_case(folder)


def test_attributes_of_a_comparison_survive_a_slice(case: core.Case) -> None:
    after = core.unlearn(case, ["p1"]).case
    shift = core.compare(case, after, metric=[GAP], on="confirm")
    assert isinstance(shift, pd.DataFrame)
    assert (shift.attrs["on"], shift.attrs["n"]) == ("confirm", len(case.rows("confirm")))
