"""Former ways to call what is public keep working, and the warning says the new one where the old one was written."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import core
from core.errors import InputTypeError
from core.former import formerly

GAP = "demographic_parity_difference"


@formerly(
    "on",
    "metric",
    renamed={"features": "sensitive_feature", "before": "case"},
    synonyms={"metrics": "metric"},
    several=True,
)
def verb(
    case: Any, what: Any = "what", *, metric: Any = "m", sensitive_feature: Any = None, on: str = "explore"
) -> tuple[Any, ...]:
    return case, what, metric, sensitive_feature, on


@formerly()
def one(case: Any, *, sensitive_feature: Any = None) -> tuple[Any, ...]:
    return case, sensitive_feature


def said(call: Any) -> tuple[Any, str]:
    """Return what a call gives and the one warning it brings, which must point at the call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = call()
    assert [one.filename for one in caught] == [__file__]
    assert caught[0].lineno in {line for *_, line in call.__code__.co_lines()}
    assert caught[0].category is DeprecationWarning
    return found, str(caught[0].message)


def test_todays_form_brings_no_warning() -> None:
    assert verb(1, 2, metric=3, sensitive_feature="a", on="test") == (1, 2, 3, "a", "test")
    assert verb(1, metrics=3) == (1, "what", 3, None, "explore")


@pytest.mark.parametrize(
    ("call", "found", "written"),
    [
        (lambda: verb(1, 2, "test"), (1, 2, "m", None, "test"), "verb(case, what, on='test')"),
        (lambda: verb(1, 2, "test", 3), (1, 2, 3, None, "test"), "verb(case, what, on='test', metric=3)"),
        (
            lambda: verb(1, features=("a", "b")),
            (1, "what", "m", ["a", "b"], "explore"),
            "verb(case, sensitive_feature=['a', 'b'])",
        ),
        (lambda: verb(before=1, what=2), (1, 2, "m", None, "explore"), "verb(case=1, what=2)"),
        (
            lambda: one(1, sensitive_feature=["a", "b"]),
            (1, ("a", "b")),
            "one(case, sensitive_feature=('a', 'b'))",
        ),
        (
            lambda: verb(1, 2, on="x" * 50, features=["a"]),
            (1, 2, "m", ["a"], "x" * 50),
            "verb(case, what, on=..., sensitive_feature=['a'])",
        ),
    ],
)
def test_former_forms_give_the_same_and_say_the_new_one(call: Any, found: Any, written: str) -> None:
    assert said(call) == (found, f"This way to call core.{written.partition('(')[0]} will go. Write core.{written}.")


def test_what_fits_neither_form_is_refused() -> None:
    with pytest.raises(InputTypeError, match=r"at most 2 arguments by position. Got 5"):
        verb(1, 2, 3, 4, 5)  # type: ignore[call-arg]
    with pytest.raises(InputTypeError, match=r"`on` of core.verb must be given once"):
        verb(1, 2, "test", on="test")  # type: ignore[misc]
    with pytest.raises(InputTypeError, match=r"`metric` of core.verb must be given once"):
        verb(1, metric=1, metrics=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        verb(1, colour=2)  # type: ignore[call-arg]


def test_former_calls_of_the_product_give_what_they_gave(small_case: core.Case) -> None:
    case: Any = small_case
    ids = small_case.record_ids[:2]
    former: list[tuple[Any, Any]] = [
        (lambda: core.audit(case, GAP, "test").gaps, lambda: core.audit(case, GAP, on="test").gaps),
        (
            lambda: core.audit(case, GAP, features=("sex",)).gaps,
            lambda: core.audit(case, GAP, sensitive_feature=["sex"]).gaps,
        ),
        (lambda: core.compare(case, case, "test", GAP), lambda: core.compare(case, case, metric=GAP, on="test")),
        (
            lambda: core.influence(case, GAP, "sex", "test"),
            lambda: core.influence(case, GAP, sensitive_feature="sex", on="test"),
        ),
        (
            lambda: core.preview(case, ids, GAP, features=["sex"]),
            lambda: core.preview(case, ids, metric=GAP, sensitive_feature="sex"),
        ),
        (lambda: core.reasons(case, ids, None), lambda: core.reasons(case, ids, progress=None)),
        (
            lambda: core.moved_decisions(case, ids, "test", 3),
            lambda: core.moved_decisions(case, ids, on="test", most=3),
        ),
    ]
    for old, new in former:
        expected = new()  # first: what is imported on use may warn of its own
        found, _ = said(old)
        assert found.equals(expected)


def test_an_audit_takes_one_feature_an_intersection_or_several(small_case: core.Case) -> None:
    def asked(feature: Any) -> list[str]:
        return list(
            core.audit(small_case, GAP, sensitive_feature=feature, n_resamples=10).gaps.index.get_level_values(1)
        )

    assert asked("sex") == ["sex"]
    assert asked(("sex", "age")) == ["sex & age"]
    assert asked(["sex", "age"]) == ["sex", "age"]
    assert asked(["age", ("sex", "age")]) == ["age", "sex & age"]


def test_what_refit_gives_is_a_result_that_still_passes_for_a_case(small_case: core.Case) -> None:
    again = core.refit(small_case)
    assert isinstance(again, core.UnlearnResult)
    assert (again.method, again.guarantee, again.n_forgotten, again.before) == (
        "refit",
        core.Guarantee.EXACT,
        0,
        small_case,
    )
    assert again.seconds > 0
    found, message = said(lambda: again.n_retained)  # type: ignore[attr-defined]
    assert found == small_case.n_retained
    assert "Write .case.n_retained in place of .n_retained." in message
    found, message = said(lambda: core.audit(again, GAP).gaps)  # type: ignore[arg-type]
    assert found.equals(core.audit(again.case, GAP).gaps)
    assert message.endswith("Write core.audit(case, metric).")
    found, _ = said(lambda: core.compare(small_case, again, metric=GAP))  # type: ignore[arg-type]
    assert found.equals(core.compare(small_case, again.case, metric=GAP))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        again.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_a_progress_of_the_share_alone_still_works(small_case: core.Case) -> None:
    groups = [small_case.record_ids[:5]]
    shares: list[float] = []
    found, message = said(lambda: core.measured_changes(small_case, groups, metric=GAP, progress=shares.append))  # type: ignore[arg-type]
    assert "lambda share, doing" in message
    np.testing.assert_array_equal(found.changes, core.measured_changes(small_case, groups, metric=GAP).changes)


REPORTING = sorted(
    name for name in core.__all__
    if callable(getattr(core, name)) and not isinstance(getattr(core, name), type)
    and "progress" in inspect.signature(getattr(core, name)).parameters
)  # fmt: skip


@pytest.mark.parametrize("name", REPORTING)
def test_a_list_where_progress_is_reported_to_is_one_sentence(name: str) -> None:
    call = getattr(core, name)
    given = [object() for one in inspect.signature(call).parameters.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    with pytest.raises(InputTypeError, match="`progress` must be a function that takes the share done"):
        call(*given, progress=["p0"])


def test_ids_given_by_position_where_progress_once_stood_are_refused(small_case: core.Case) -> None:
    with pytest.raises(InputTypeError, match=r"`progress` must be a function.* Got \['p0'\]\."):
        core.refit(small_case, ["p0"])  # type: ignore[arg-type]
