"""The grammar that public calls share: verb(case, what, *, metric=, sensitive_feature=, on=)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import core

CALLS: dict[str, Callable[..., Any]] = {
    name: getattr(core, name) for name in core.__all__ if inspect.isfunction(getattr(core, name))
}
OF_A_LEDGER = {"export_evidence": "ledger", "model_card": "ledger", "replay_evidence": "source"}
"""Calls about a ledger or an evidence pack, which comes first; a case says of what."""
OF_A_CASE = {
    name: call
    for name, call in CALLS.items()
    if name not in OF_A_LEDGER and "case" in inspect.signature(call).parameters
}
OTHER_FIRSTS = {
    "audit_decisions",
    "compose_model",
    "expected_gains",
    "guardrails",
    "harmful",
    "inspect_model",
    "klom",
    "load_case",
    "load_model",
    "model_recipe",
    "policy_profile",
    "read_openml",
    "read_query",
    "read_table",
    "register_family",
    "save_model",
    "settle_tables",
    "train_model",
    "verify",
    "verify_evidence",
}
"""Calls that are about no case, or two: a table of decisions, files, the order of what `influence` gave, rules that were found, before and after, a
removal, evidence."""
WHAT = {
    "apply_policy": "profile",
    "audit": "metric",
    "compare": "after",
    "edit": "relabel",
    "explain_gap": "metric",
    "group_changes": "groups",
    "influence": "metric",
    "moved_decisions": "forget",
    "nearest_flips": "record",
    "plan_removal": "metric",
    "predicted_scores": "forget",
    "preview": "forget",
    "reasons": "ids",
    "take_harmful": "metric",
    "unlearn": "forget",
    "what_if": "record",
    "worst_slices": "metric",
}
DEFAULTS = {"on": "explore", "sensitive_feature": None, "progress": None, "seed": 0}
KINDS = {
    "progress": "Progress | None",
    "on": "str",
}
DESCRIBED = {("apply_policy", "on"), ("audit", "on")}
"""None describes a model as opened on all test rows, one that was changed on the rows searched."""
FORMER_WORDS = {"metrics", "features", "feature", "before", "cancel", "callback", "split"}


def parameters(name: str) -> list[inspect.Parameter]:
    return list(inspect.signature(OF_A_CASE[name]).parameters.values())


def test_every_call_is_about_a_case_or_known_not_to_be() -> None:
    assert set(CALLS) - set(OF_A_CASE) - set(OF_A_LEDGER) == OTHER_FIRSTS


@pytest.mark.parametrize("name", OF_A_LEDGER)
def test_the_ledger_comes_first_and_the_case_is_named(name: str) -> None:
    known = inspect.signature(CALLS[name]).parameters
    assert next(iter(known)) == OF_A_LEDGER[name]
    assert "case" in known


@pytest.mark.parametrize("name", OF_A_CASE)
def test_the_case_comes_first_then_what_and_the_rest_by_keyword(name: str) -> None:
    first, *others = parameters(name)
    assert first.name == "case"
    by_position = [one.name for one in others if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert len(by_position) <= 1
    if name in WHAT:
        assert by_position == [WHAT[name]]
    assert all(one.kind is not inspect.Parameter.VAR_POSITIONAL for one in others)


@pytest.mark.parametrize("name", OF_A_CASE)
def test_one_word_means_one_thing(name: str) -> None:
    for one in parameters(name):
        assert one.name not in FORMER_WORDS
        if (name, one.name) in DESCRIBED:
            assert (one.default, one.annotation) == (None, "str | None")
            continue
        if one.name in DEFAULTS:
            assert one.default == DEFAULTS[one.name], one
        if one.name in KINDS:
            assert one.annotation == KINDS[one.name], one


@pytest.mark.parametrize("name", OF_A_CASE)
def test_what_compares_groups_says_on_which_rows_and_between_whom(name: str) -> None:
    names = {one.name for one in parameters(name)}
    if "metric" in names:
        assert {"sensitive_feature", "on"} <= names


@pytest.mark.parametrize("name", OF_A_CASE)
def test_what_once_was_a_case_passes_for_one_everywhere(name: str) -> None:
    assert hasattr(OF_A_CASE[name], "__wrapped__"), "decorate it with core.former.formerly"
