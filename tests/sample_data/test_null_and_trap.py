from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import core
from core.metrics.compare import compare_groups
from sample_data.null import make as null
from sample_data.trap import make as trap

FOLDERS = {"null": Path(null.__file__).parent, "trap": Path(trap.__file__).parent}


def test_nothing_is_wrong_in_the_null_case() -> None:
    made = null.make_null()
    table = pd.concat([made.train, made.test])
    assert table.groupby("sex")["granted"].mean().diff().abs().max() < 0.03
    assert table.groupby("branch")["granted"].mean().std() < 0.03
    gaps = [
        core.audit(
            null.make_case(null.make_null(seed)),
            ["equal_opportunity_difference"],
            sensitive_feature=["sex"],
            on="explore",
        ).gaps
        for seed in range(5)
    ]
    assert sorted(float(gap["p_value"].iloc[0]) for gap in gaps)[1] > 0.05


def test_in_the_trap_parity_rises_because_everyone_loses() -> None:
    made = trap.make_trap()
    case = trap.make_case(made)
    removed = core.unlearn(case, made.tempting).case
    shift = core.compare(case, removed, metric=["demographic_parity_difference", "accuracy"])
    parity = shift.loc[("demographic_parity_difference", "sex")]
    assert parity["after"] < 0.3 * parity["before"]
    assert shift.loc[("accuracy", "(all)"), "high"] < -0.05
    by_group = compare_groups(case, removed, metric=["selection_rate", "true_positive_rate", "accuracy"])
    assert (by_group["high"] < 0).all()
    for metric in ("equal_opportunity_difference", "demographic_parity_difference"):
        side = core.guardrails(case, removed, metric=metric)
        assert side.verdict == "fairer_by_levelling_down"
    said = side.sentence
    for part in (
        "female 20.1% to 14.2%",
        "male 36.8% to 16.3%",
        "Accuracy 80.0% to 70.7%",
        "accuracy by sex 0.007 to 0.097",
    ):
        assert part in said
    for decision, n in (("newly refused", 396), ("newly served", 3)):
        assert f"{n} are {decision}" in said
        assert (side.people["decision"] == decision).sum() == n


def test_removing_one_in_a_hundred_at_random_changes_nothing_clearly() -> None:
    draw = np.random.default_rng(0)
    verdicts = []
    for name, metric in (("null", "equal_opportunity_difference"), ("trap", "demographic_parity_difference")):
        case = core.prepare(core.load_case(FOLDERS[name]))
        for _ in range(5):
            forget = draw.choice(case.record_ids, len(case.record_ids) // 100, replace=False)
            verdicts.append(core.guardrails(case, core.unlearn(case, forget).case, metric=metric).verdict)
    assert verdicts.count("no_clear_change") >= 9


@pytest.mark.parametrize("name", ["null", "trap"])
def test_the_files_are_what_the_maker_makes(name: str) -> None:
    made = null.make_null() if name == "null" else trap.make_trap()
    case = core.load_case(FOLDERS[name])
    pd.testing.assert_frame_equal(case.train, made.train)
    pd.testing.assert_frame_equal(case.test, made.test)
    assert core.check_provenance(case).status == "verified"
    if isinstance(made, trap.Trap):
        assert pd.read_csv(FOLDERS[name] / "answer_key.csv")["application"].tolist() == made.tempting.tolist()
