"""What all sessions share: made once, kept by kind, gone with its case."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pandas as pd
import pytest
import streamlit as st

import core
from core.errors import InputError, LimitError
from dashboard import cached, workspace
from dashboard.kept import Kept
from dashboard.work import Work


def refuse() -> int:
    raise InputError("No.")


def test_errors_are_kept_where_that_is_wanted_and_go_with_their_case() -> None:
    kept = Kept()
    for _ in range(2):
        with pytest.raises(InputError, match="No"):
            kept.make(("a", "sum"), refuse)
    with pytest.raises(InputError, match="No"):
        kept.peek(("a", "sum"))
    kept.make(("b", "sum"), lambda: 2)
    kept.drop("a")
    assert kept.make(("a", "sum"), lambda: 3) == 3
    assert kept.peek(("b", "sum")) == 2
    with pytest.raises(InputError, match="No"):
        kept.make(("a", "product"), refuse, errors=False)
    assert kept.make(("a", "product"), lambda: 4) == 4


def test_every_kind_has_its_own_room() -> None:
    kept = Kept(most={"large": 1}, otherwise=3)
    for n in range(4):
        for kind in ("large", "small"):
            kept.put(("a", kind, n), n + 1)
    assert [n for n in range(4) if kept.peek(("a", "large", n)) is not None] == [3]
    assert [n for n in range(4) if kept.peek(("a", "small", n)) is not None] == [1, 2, 3]
    kept.peek(("a", "small", 1))
    kept.put(("a", "small", 4), 5)
    assert kept.peek(("a", "small", 1)) == 2, "used last"
    assert kept.peek(("a", "small", 2)) is None


def test_the_case_used_longest_ago_goes_whole() -> None:
    kept = Kept(cases=2)
    for case_id in "ab":
        for kind in ("version", "report"):
            kept.put((case_id, kind), case_id)
    kept.peek(("a", "version"))
    kept.put(("c", "version"), "c")
    found = {(case_id, kind) for case_id in "abc" for kind in ("version", "report") if kept.peek((case_id, kind))}
    assert found == {("a", "version"), ("a", "report"), ("c", "version")}


def test_what_did_not_fit_is_tried_again_when_asked() -> None:
    kept = Kept()

    def full() -> int:
        raise MemoryError

    for name in (("a", "sum"), ("b", "sum")):
        with pytest.raises(LimitError, match="fit into the server's memory"):
            kept.make(name, full)
    kept.forget_limits("a")
    assert kept.make(("a", "sum"), lambda: 1) == 1
    with pytest.raises(LimitError):
        kept.make(("b", "sum"), lambda: 1)
    kept.forget(("b", "sum"))
    assert kept.make(("b", "sum"), lambda: 2) == 2


def test_two_that_want_the_same_make_it_once() -> None:
    kept, begun, go_on, waited = Kept(), Event(), Event(), Event()

    def work() -> object:
        begun.set()
        assert go_on.wait(10.0)
        return object()

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(kept.make, ("a", "sum"), work)
        assert begun.wait(10.0)
        other = pool.submit(kept.make, ("a", "sum"), refuse, waited.set)
        assert waited.wait(10.0)
        go_on.set()
        assert one.result(10.0) is other.result(10.0)


def test_no_page_changes_what_another_is_shown(home: object, small_case: core.Case) -> None:
    st.cache_resource.clear()
    work = Work(workspace.store(small_case, "Small"), None, "equal_opportunity_difference", "sex")
    first = cached.table(work, "sizes", "sex")
    first["test"] = 0
    first.loc["new"] = [1, 1, 1.0]
    second = cached.table(work, "sizes", "sex")
    assert (second["test"] > 0).all()
    assert "new" not in second.index
    assert isinstance(second, pd.DataFrame)
