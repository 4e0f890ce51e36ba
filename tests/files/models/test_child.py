"""A process that opens files may do whatever it likes: the one that called gets a sentence, soon."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from core.errors import InputError, LimitError, NotSupportedError, RedressError
from core.files.models import child
from core.files.models.child import in_child
from core.files.models.isolation import forked
from core.files.models.isolation.confine import MIB, ChildLimits
from core.files.models.isolation.messages import pack, unpack
from core.files.models.models import load_model

HERE = "tests.files.models.misbehaving:"
SMALL = ChildLimits(max_memory=700 * MIB)
SHORT = ChildLimits(max_memory=700 * MIB, max_cpu_seconds=3, max_seconds=4.0, max_answer=MIB)
LINUX = pytest.mark.skipif(not child.FORKS, reason="workers are forked on Linux alone")


@pytest.fixture(params=[pytest.param(True, marks=LINUX), False], ids=["forked", "spawned"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(child, "FORKS", request.param)
    yield
    assert in_child("core.words:plain", "a_b") == "a\\_b"


BEHAVIOURS = [
    ("crash", InputError, "SIGSEGV"),
    ("abort", InputError, "SIGABRT"),
    ("leave", InputError, "no whole answer"),
    ("fill", LimitError, "700 MB of memory"),
    ("fill_unseen", LimitError, "700 MB of memory"),
    ("recurse", InputError, "RecursionError"),
    ("refuse", NotSupportedError, r"^`method` must fit. It does not.$"),
    ("fail", InputError, r"failed \(KeyError\)"),
]


@LINUX
@pytest.mark.parametrize(("what", "kind", "sentence"), BEHAVIOURS)
def test_whatever_becomes_of_the_child_the_caller_gets_a_sentence(what: str, kind: type, sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        in_child(HERE + what, None, limits=SMALL)


@pytest.mark.parametrize(("what", "kind", "sentence"), [BEHAVIOURS[n] for n in (0, 4, 6)])
def test_a_spawned_child_is_no_worse(what: str, kind: type, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "FORKS", False)
    with pytest.raises(kind, match=sentence):
        in_child(HERE + what, None, limits=SMALL)


@LINUX
@pytest.mark.parametrize(
    ("what", "payload", "sentence"),
    [
        ("spin", None, "within [34] s"),
        ("sleep", None, "within 4 s"),
        ("fill_python", None, "700 MB of memory"),
        ("many_threads", 40, "16 threads|broke|failed"),
        ("talk", 2 * MIB, "at most 1 MB"),
    ],
)
def test_what_passes_a_limit_is_ended(what: str, payload: Any, sentence: str) -> None:
    start = time.monotonic()
    with pytest.raises(InputError, match=sentence):
        in_child(HERE + what, payload, limits=SHORT)
    assert time.monotonic() - start < 30


def test_a_spawned_child_that_spins_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "FORKS", False)
    with pytest.raises(LimitError, match="still being done"):
        in_child(HERE + "sleep", None, limits=ChildLimits(max_seconds=8.0))


@pytest.mark.usefixtures("either")
def test_a_child_begins_nothing_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "token")
    said = in_child(HERE + "what_is_allowed", str(tmp_path))
    assert "SECRET" not in said.pop("environment")
    assert set(said) == {"write", "system", "process", "fork", "connect", "files"}
    assert "done" not in said.values()
    assert not (tmp_path / "canary").exists()


@LINUX
def test_a_process_begun_behind_pythons_back_ends_with_the_child(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one process"):
        in_child(HERE + "by_hand", str(tmp_path))
    time.sleep(1.5)
    assert not (tmp_path / "canary").exists()


@LINUX
def test_one_that_is_stuck_makes_no_other_wait() -> None:
    in_child("core.words:plain", "")  # all is imported
    stuck: list[Exception] = []

    def wait() -> None:
        try:
            in_child(HERE + "sleep", None, limits=ChildLimits(max_seconds=3.0))
        except LimitError as error:
            stuck.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    assert in_child("core.words:plain", "a_b") == "a\\_b"
    assert thread.is_alive()
    thread.join()
    assert len(stuck) == 1


@LINUX
def test_a_model_opens_while_another_visitors_file_is_stuck() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    model = LogisticRegression().fit(rows, rows[:, 0] > 0)
    given_up = threading.Event()

    def looking() -> None:
        if given_up.is_set():
            raise TimeoutError("given up")

    def wait() -> None:
        with contextlib.suppress(TimeoutError):
            in_child(HERE + "spin", None, looking=looking)

    thread = threading.Thread(target=wait)
    thread.start()
    assert load_model(pickle.dumps(model)).predict(rows).tolist() == model.predict(rows).tolist()
    assert thread.is_alive()
    given_up.set()
    thread.join()


@pytest.mark.usefixtures("either")
def test_it_can_be_given_up() -> None:
    start = time.monotonic()

    def looking() -> None:
        if time.monotonic() - start > 0.5:
            raise TimeoutError("given up")

    with pytest.raises(TimeoutError, match="given up"):
        in_child(HERE + "sleep", None, looking=looking)
    assert time.monotonic() - start < 20


@LINUX
def test_a_starter_that_has_ended_is_begun_again() -> None:
    in_child("core.words:plain", "")
    process = forked.STARTER._process
    assert process is not None
    process.kill()
    process.wait()
    assert in_child("core.words:plain", "a_b") == "a\\_b"
    assert forked.STARTER._process is not process


@LINUX
def test_a_child_that_cannot_be_started_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "STARTER", forked.Starter())
    monkeypatch.setattr(forked, "code", lambda _: [os.devnull])
    with pytest.raises(RedressError, match="could not be started"):
        in_child("core.words:plain", "")
    monkeypatch.setattr(forked, "code", lambda _: ["/bin/false"])
    with pytest.raises(RedressError, match="could not be started"):
        in_child("core.words:plain", "")


def test_messages_bring_back_plain_values_and_nothing_else() -> None:
    value = {
        "a": [1, 2.5, None, True, "x", b"\x00y"],
        3: ({"b": ()}, 10**40, float("inf")),
        "array": np.arange(6.0).reshape(2, 3),
        "none": np.empty((0, 2), dtype=bool),
    }
    back = unpack(pack(value))
    assert back["a"] == value["a"]
    assert back[3] == value[3]
    for name in ("array", "none"):
        np.testing.assert_array_equal(back[name], value[name])
        assert back[name].dtype == value[name].dtype
    for odd in (object(), {1}, np.array([object()]), np.float64(1)):
        with pytest.raises(TypeError, match="plain values"):
            pack(odd)


def test_messages_that_are_cut_or_forged_are_refused() -> None:
    whole = pack({"a": [b"abc", np.arange(3)]})
    for broken in (*(whole[:n] for n in range(len(whole))), whole + b"x", bytes(12), b"\xff" * 40):
        with pytest.raises(ValueError, match="whole"):
            unpack(broken)
    for text in (b'{"array": ["O", [1], 0]}', b'{"tuple": 3}', b'{"run": 1}', b"[" * 100_000):
        with pytest.raises(ValueError, match="whole"):
            unpack(len(text).to_bytes(8, "big") + bytes(4) + text)
