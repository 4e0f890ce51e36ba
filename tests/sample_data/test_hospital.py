"""The hospital case: its answer key, the rule behind it, and the list of withdrawals."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import core
from sample_data.hospital import make

FOLDER = Path(make.__file__).parent
GAP = "equal_opportunity_difference"


@pytest.fixture(scope="module")
def case() -> core.Case:
    return core.load_case("hospital")


@pytest.fixture(scope="module")
def turned() -> pd.Index:
    return pd.Index(pd.read_csv(FOLDER / "answer_key.csv")["admission"])


def gap_of(case: core.Case) -> pd.Series:
    return core.audit(case, metric=[GAP], sensitive_feature=["insurance"], on="explore").gaps.iloc[0]


def test_the_files_are_what_the_maker_makes(case: core.Case, turned: pd.Index) -> None:
    planted = make.make_hospital()
    pd.testing.assert_frame_equal(case.train, planted.train, check_dtype=False)
    assert turned.equals(planted.turned)
    listed = pd.read_csv(FOLDER / "withdrawals.csv")["patient"]
    assert listed.tolist() == make.withdrawals(planted).tolist()
    assert not set(planted.train["patient"]) & set(planted.test["patient"])
    changed = planted.train["readmitted"] != planted.true_train["readmitted"]
    assert make.in_rule(planted.train)[changed].all()


def test_the_truth_is_better_restored_than_removed(case: core.Case, turned: pd.Index) -> None:
    before, removed = gap_of(case), gap_of(core.unlearn(case, turned).case)
    mended = gap_of(core.edit(case, relabel=dict.fromkeys(turned, 1)).case)
    assert before["p_value"] < 0.01
    assert removed["value"] < before["value"] / 2
    assert mended["p_value"] > 0.05
    assert mended["value"] < removed["value"]


def test_withdrawn_consent_is_carried_out_for_every_row_of_a_patient(case: core.Case) -> None:
    listed = core.read_ids(case, FOLDER / "withdrawals.csv", column="patient")
    assert (listed.by, listed.n_listed, len(listed.found), len(listed.unknown)) == ("subject", 120, 117, 3)
    assert len(listed.records) == 178
    done = core.erase(case, listed, by="subject")
    left = done.case.train[done.case.retained]
    assert not left["patient"].isin(listed.found).any()
    assert abs(gap_of(done.case)["value"] - gap_of(case)["value"]) < 0.02
