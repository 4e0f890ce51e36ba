"""A family written from CONTRIBUTING alone holds what it claims, and every call serves it or says in one sentence what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.command_line.main import main
from core.errors import NotSupportedError
from core.verification import check_unlearner
from tests.conftest import make_graded_table
from tests.families.contributed import NAME, NUMBERS, ROLES, TEST, TRAIN, bayes, contributed

GAP = "demographic_parity_difference"


@pytest.fixture(scope="module", autouse=True)
def family() -> Iterator[core.Family]:
    with contributed() as found:
        yield found


@pytest.fixture(scope="module")
def case() -> core.Case:
    return bayes()


@pytest.mark.parametrize("options", [{}, {"priors": [0.3, 0.7]}, {"var_smoothing": 0.1}], ids=str)
def test_it_holds_what_it_claims(family: core.Family, options: dict[str, Any]) -> None:
    assert check_unlearner(family.unlearner, bayes(**options))["passed"].all()


def test_it_holds_what_it_claims_of_three_classes(family: core.Family) -> None:
    train, test = make_graded_table(500, 1), make_graded_table(300, 2)
    roles = ROLES.with_(pos_label="late", favorable_label="late", features=["age", "debt"])
    model = GaussianNB().fit(train[["age", "debt"]], train["granted"])
    assert check_unlearner(family.unlearner, core.Case(model, train, test, roles))["passed"].all()


def test_records_leave_exactly_in_a_chain(case: core.Case) -> None:
    once = core.unlearn(case, case.record_ids[:30])
    twice = core.unlearn(once.case, case.record_ids[100:140])
    assert (twice.method, twice.guarantee, twice.notes) == ("subtract", core.Guarantee.EXACT, ())
    left = TRAIN[twice.case.retained]
    again = GaussianNB().fit(left[NUMBERS], left["granted"])
    np.testing.assert_allclose(twice.case.scores("test"), again.predict_proba(TEST[NUMBERS])[:, 1], atol=1e-12)
    assert case.n_retained == len(TRAIN)


def test_what_it_does_not_serve_is_trained_again_and_said() -> None:
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(TRAIN[NUMBERS], TRAIN["granted"])
    result = core.unlearn(core.Case(model, TRAIN, TEST, ROLES), ["p3"])
    assert result.method == "refit"
    assert "Not done by subtract: the steps before the model would have to be fitted again." in result.notes
    edited = core.edit(bayes(), relabel={"p3": 1 - int(TRAIN["granted"][3])})
    assert edited.method == "refit"
    assert "Not done by subtract: it removes records and does not change labels or weights." in edited.notes


def test_rows_that_do_not_give_the_model_are_trained_again() -> None:
    model = GaussianNB().fit(TRAIN[NUMBERS][:500], TRAIN["granted"][:500])
    result = core.unlearn(core.Case(model, TRAIN, TEST, ROLES), ["p3"])
    assert result.method == "refit"
    assert "Not done by subtract: these rows do not give the model's means and variances." in result.notes


def first(case: core.Case, n: int = 5) -> list[Any]:
    return case.record_ids[:n].tolist()


SERVED: dict[str, Callable[[core.Case], object]] = {
    "audit": lambda case: core.audit(case).gaps,
    "prepare": lambda case: core.prepare(case, method="subtract"),
    "unlearners_for": lambda case: core.unlearners_for(case)[0].name,
    "unlearn": lambda case: core.unlearn(case, first(case), method="subtract"),
    "compare": lambda case: core.compare(case, core.unlearn(case, first(case)).case),
    "refit": core.refit,
    "retrain_gap": core.retrain_gap,
    "choose_decisions": core.choose_decisions,
    "random_removals": lambda case: core.random_removals(case, [20], metric=GAP),
}
LACKED: dict[str, tuple[Callable[[core.Case], object], str]] = {
    "influence": (core.influence, "influence is"),
    "influence, re-scored": (lambda case: core.influence(case, rescore=3), "influence is"),
    "preview": (lambda case: core.preview(case, first(case)), "influence is"),
    "predicted_scores": (lambda case: core.predicted_scores(case, first(case)), "influence is"),
    "moved_decisions": (lambda case: core.moved_decisions(case, first(case)), "influence is"),
    "influence_on_decisions": (
        lambda case: core.influence_on_decisions(case, core.choose_decisions(case)),
        "influence is",
    ),
    "group_changes": (lambda case: core.group_changes(case, [first(case)], metric=GAP), "influence is"),
    "measured_changes": (lambda case: core.measured_changes(case, [first(case)], metric=GAP), "influence is"),
    "plan_removal": (lambda case: core.plan_removal(case, GAP), "influence is"),
    "take_harmful": (lambda case: core.take_harmful(case, GAP), "influence is"),
    "reasons": (lambda case: core.reasons(case, first(case)), "they are"),
    "mean_reasons": (core.mean_reasons, "they are"),
    "check_splits": (core.check_splits, "their check is"),
}


@pytest.mark.parametrize("call", SERVED)
def test_calls_that_need_nothing_more_serve_it(call: str, case: core.Case) -> None:
    assert SERVED[call](case) is not None


@pytest.mark.parametrize("call", LACKED)
def test_calls_that_need_more_say_what_is_not_known_of_the_family(call: str, case: core.Case) -> None:
    search, what = LACKED[call]
    with pytest.raises(NotSupportedError) as raised:
        search(case)
    said = str(raised.value)
    assert f"{what} not known for {NAME}" in said
    assert said.endswith(".")
    assert "GaussianNB" not in said


def test_nothing_is_known_of_what_it_minimises(case: core.Case) -> None:
    with pytest.raises(NotSupportedError, match="nothing with one optimum is known that the models 'subtract' serves"):
        core.converge(case)


def test_provenance_is_unverifiable_and_says_why(case: core.Case) -> None:
    found = core.check_provenance(case)
    assert (found.status, found.converge) == ("unverifiable", False)
    assert found.evidence == (f"The model cannot be checked: nothing is known of what {NAME} keeps of its rows.")


def test_suspicious_labels_go_by_loss_alone_and_say_so(case: core.Case) -> None:
    found = core.suspicious_labels(case)
    assert found.attrs["notes"] == (f"Ranked by out-of-fold loss alone: self-influence is not known for {NAME}.",)
    assert found["self_influence"].isna().all()
    assert found["suspicion"].notna().all()


def test_a_gap_is_explained_by_another_model_and_measured_by_its_own_removals(case: core.Case) -> None:
    found = core.explain_gap(case, GAP, max_predicates=1, top_k=2)
    assert len(found)
    assert {one.method for one in found} == {"subtract"}
    assert {one.guarantee for one in found} == {"exact"}
    (note,) = [note for note in found.notes if "predicted by" in note]
    assert "by a logistic regression and measured by removing their records." in note
    assert f"influence is not known for {NAME}" in note
    assert found[0].beside_a_preview == "Measured by really removing these records; there is no preview for this model."


@pytest.mark.parametrize(
    ("command", "code"),
    [("audit", 0), ("provenance", 0), ("unlearn --ids p3", 0), ("influence", 2), (f"plan --metric {GAP}", 2)],
)
def test_commands_serve_it_or_say_what_is_not_known(
    command: str, code: int, case: core.Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command.split()
    assert main([name, str(case.save(tmp_path / "case")), *options]) == code
    said = capsys.readouterr()
    assert (f"influence is not known for {NAME}" in said.err) == (code != 0)
