"""Arguments of the wrong kind end in a sentence, and a pipeline's names are found behind what it passes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.errors import InputError, InputTypeError


def test_arguments_of_the_wrong_kind(small_case: core.Case) -> None:
    with pytest.raises(InputTypeError, match="Metrics must be a name"):
        core.audit(small_case, 5)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="`sensitive_feature` must name"):
        core.audit(small_case, "accuracy", sensitive_feature=5)  # type: ignore[arg-type]
    with pytest.raises(InputTypeError, match="must be the Series"):
        core.harmful([1, 2])  # type: ignore[arg-type]
    for seed, kind in (("x", InputTypeError), (-1, InputError)):
        with pytest.raises(kind, match="seed must"):
            core.Case(small_case.model, small_case.train, small_case.test, small_case.roles, seed=seed)  # type: ignore[arg-type]


GAP = "demographic_parity_difference"
WRONG: dict[str, tuple[Callable[[core.Case], object], str]] = {
    "confirm by a frame": (
        lambda case: core.Case(case.model, case.train, case.test, case.roles, confirm=case.test),
        "`confirm` must be True or",
    ),
    "no share": (lambda _: core.AtRate(None), "strictly between 0 and 1. Got None"),
    "metrics in lists": (lambda case: core.audit(case, [["accuracy"]]), "Did you mean 'accuracy'"),
    "a feature of none": (
        lambda case: core.influence(case, GAP, sensitive_feature=[]),
        "A sensitive feature must be named. Got none",
    ),
    "a search on a list": (
        lambda case: core.group_changes(case, [], metric=GAP, on=["explore"]),
        "`on` must be one of",
    ),
    "a search on the train rows": (
        lambda case: core.influence(case, on="train"),
        "`on` must be one of explore, confirm",
    ),
    "closely by an array": (
        lambda case: core.group_changes(case, [], metric=GAP, closely=[1]),
        "`closely` must be True or",
    ),
    "by groups": (lambda case: core.preview(case, ["p1"], by_group="sex"), "`by_group` must be True or"),
    "scores of a number": (lambda case: core.compare(case, case, scores=5), "Scores must be 600 finite numbers"),
    "a kind in a list": (lambda case: core.choose_decisions(case, ["wrong"]), "`kind` must be one of wrong"),
    "a group in a list": (lambda case: core.choose_decisions(case, group=["f"]), "The group must be one of"),
    "a quantity in a list": (
        lambda case: core.influence_on_decisions(case, [], quantity=["loss"]),
        "`quantity` must be one of",
    ),
    "decisions by a list": (lambda case: core.influence_on_decisions(case, [], by=["record"]), "`by` must be one of"),
    "seconds in words": (lambda case: core.explain_gap(case, GAP, seconds="x"), "`seconds` must be a finite"),
    "no seconds": (lambda case: core.explain_gap(case, GAP, seconds=0), "The time must be more than 0"),
    "true conditions": (
        lambda case: core.explain_gap(case, GAP, max_predicates=True),
        "`max_predicates` must be a whole",
    ),
    "columns in lists": (lambda case: core.explain_gap(case, GAP, columns=[["age"]]), "A column of rules must be one"),
    "a utility of a frame": (lambda case: core.plan_removal(case, utility=case.test), "A metric must be one"),
    "half a draw": (lambda case: core.plan_removal(case, n_random=1.5), "`n_random` must be a whole"),
    "ids by a list": (lambda case: core.unlearn(case, ["p1"], by=["record"]), "`by` must be one of record, subject"),
    "a list by a list": (lambda case: core.read_ids(case, b"person\np1\n", by=["record"]), "`by` must be one of"),
    "a column of a number": (lambda case: core.read_ids(case, b"person\np1\n", column=5), "`column` must be the name"),
    "limits of a number": (
        lambda _: core.read_table(b"a,b\n1,2\n", limits=5),
        "Limits must be given as core.files.tables.limits.Limits",
    ),
    "limits of a table": (lambda _: core.load_model(b"", limits=5), "core.files.tables.limits.ModelLimits"),
    "reasons of a list": (lambda case: core.reasons(case, [["p1"]]), "Each id must be that of one record"),
    "no folder for a model": (
        lambda case: core.save_model(case.model, "/no/such/model.skops"),
        "No such file or directory.; check the path",
    ),
    "no path for a model": (lambda case: core.save_model(case.model, None), "given as a path"),  # type: ignore[arg-type]
    "no path for a case": (lambda case: case.save(None), "given as a path"),  # type: ignore[arg-type]
    "a case below a file": (lambda case: case.save(f"{__file__}/case"), "File exists.; check the path"),
    "no path to a case": (lambda _: core.load_case(None), "given as a path"),  # type: ignore[arg-type]
    "unknown setting": (lambda case: core.mitigations(case, on_rows=1), "A setting of mitigators must be one of"),
    "methods of a number": (lambda case: core.mitigations(case, methods=5), "`methods` must be a list"),  # type: ignore[arg-type]
    "half a round": (
        lambda case: core.mitigate(case, "exponentiated_gradient", max_iter=1.5),
        "`max_iter` must be a whole",
    ),  # type: ignore[arg-type]
    "a bound in words": (lambda case: core.mitigate(case, "grid_search", bound="x"), "`bound` must be a finite"),  # type: ignore[arg-type]
    "effects without a name": (lambda _: core.harmful(pd.Series([0.1])), "named after their metric"),
    "effects of texts": (lambda _: core.harmful(pd.Series(["a"], name=GAP)), "effects must be numbers"),
    "forgetting None": (lambda case: core.unlearn(case, None), "Got None instead; an empty list"),  # type: ignore[arg-type]
    "methods to choose from": (lambda case: core.unlearn(case, ["p1"], method=["newton"]), "The method must be"),  # type: ignore[arg-type]
    "a tolerance in words": (lambda case: core.unlearn(case, ["p1"], tolerance="x"), "`tolerance` must be a finite"),  # type: ignore[arg-type]
    "half a stage": (lambda case: core.check_splits(case, n_stages=1.5), "`n_stages` must be a whole"),  # type: ignore[arg-type]
    "a feature of a number": (
        lambda case: core.influence(case, GAP, sensitive_feature=5),
        "A sensitive feature must be a column's name",
    ),  # type: ignore[arg-type]
    "a split of a list": (lambda case: core.audit(case, on=["explore"]), "`on` must be one of"),  # type: ignore[arg-type]
    "resamples in words": (lambda case: core.audit(case, n_resamples="x"), "`n_resamples` must be a whole"),  # type: ignore[arg-type]
    "columns of a number": (lambda case: core.explain_gap(case, metric=GAP, columns=5), "`columns` must be a list"),  # type: ignore[arg-type]
    "bins in words": (lambda case: core.explain_gap(case, metric=GAP, bins={"age": ["x"]}), "inner edges"),  # type: ignore[list-item]
    "sizes in words": (lambda case: core.random_removals(case, "x"), "Sizes must be given as a list"),  # type: ignore[arg-type]
    "half a size": (lambda case: core.random_removals(case, [1.5]), "`sizes` must be a whole"),  # type: ignore[list-item]
    "reasons of None": (lambda case: core.reasons(case, None), "`ids` must be a list"),  # type: ignore[arg-type]
    "a seed in words": (lambda case: core.mean_reasons(case, seed="x"), "The seed must be a whole"),  # type: ignore[arg-type]
    "a negative seed": (lambda case: core.suspicious_labels(case, seed=-1), "The seed must not be negative"),
    "all are outliers": (
        lambda case: core.records_worth_a_look(case, outlier_share=1),
        "must lie between 0 and 1",
    ),
    "nothing moved": (
        lambda case: core.moved_decisions(case, ["p1"], most=0),
        "`most` must be a whole number of at least 1",
    ),
    "groups of numbers": (lambda case: core.group_changes(case, [1, 2], metric=GAP), "Ids must be given as a list"),  # type: ignore[list-item]
    "a class for a model": (
        lambda case: core.Case(LogisticRegression, case.train, case.test, case.roles),
        "Got the class LogisticRegression",
    ),
    "columns for a target": (lambda _: core.Roles(["a"], 1, 1, ["sex"]), "Roles.target must name one column"),  # type: ignore[arg-type]
    "features of a number": (lambda _: core.Roles("a", 1, 1, ["sex"], features=5), "Roles.features must be a list"),  # type: ignore[arg-type]
    "confirm rows of numbers": (lambda case: case.with_confirm_rows([1, 2]), "A split must name"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(name: str, small_case: core.Case) -> None:
    call, sentence = WRONG[name]
    with pytest.raises(core.RedressError, match=sentence) as caught:
        call(small_case)
    assert str(caught.value).endswith((".", "?"))
    assert "\n" not in str(caught.value)


CALLS: dict[str, Callable[[Any], object]] = {
    "mitigate": lambda case: core.mitigate(case, "grid_search"),
    "preview": lambda case: core.preview(case, ["p1"]),
    "reasons": lambda case: core.reasons(case, ["p1"]),
    "edit": lambda case: core.edit(case, relabel={"p1": 1}),
    "read_ids": lambda case: core.read_ids(case, b"p1"),
    "group_changes": lambda case: core.group_changes(case, [], metric=GAP),
    "predicted_scores": lambda case: core.predicted_scores(case, ["p1"]),
    "moved_decisions": lambda case: core.moved_decisions(case, ["p1"]),
    "influence_on_decisions": lambda case: core.influence_on_decisions(case, ["p1"]),
    "random_removals": lambda case: core.random_removals(case, [1]),
} | {
    call.__name__: call
    for call in (
        core.apply_policy,
        core.check_provenance,
        core.check_splits,
        core.choose_decisions,
        core.converge,
        core.explain_gap,
        core.mitigations,
        core.plan_removal,
        core.prepare,
        core.records_worth_a_look,
        core.refit,
        core.retrain_gap,
        core.suspicious_labels,
        core.unlearners_for,
        core.worst_slices,
    )
}


@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_case_is_said_to_be_none(name: str) -> None:
    with pytest.raises(InputTypeError, match=r"must be a core\.Case\. Got NoneType"):
        CALLS[name](None)


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
