"""kill -9 at random moments of a save, a final erasure, an apply and an entry of the ledger leaves the old state or the new."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

import core
from core.files.cases import rewriting
from core.files.cases.settings import settings_of
from dashboard import workspace
from dashboard.history import Step
from dashboard.work import Work
from tests.files.cases.test_placing import ROLES, held, table

KILLS = int(os.environ.get("REDRESS_TEST_KILLS", "15"))
"""Of each; 50 are what a release is held to."""
EACH = 1e-4


@dataclass(frozen=True)
class Kept:
    """Something that is written again and again, numbered, and how long that takes at most."""

    write: Callable[[int], object]
    number: Callable[[], int]
    seconds: float


@pytest.fixture
def saves(tmp_path: Path) -> Kept:
    """A case saved over itself, its number in the threshold."""
    train, folder = table(0), tmp_path / "case"
    model = LogisticRegression().fit(train[["debt"]], train["granted"])
    case = core.Case(model, train, table(2), ROLES)

    def number() -> int:
        assert set(held(folder)) == {
            "train.parquet",
            "test.parquet",
            "model.skops",
            "confirm_rows.npy",
            "retained_rows.npy",
        }
        return round(settings_of(folder)["model"]["threshold"] / EACH)

    return Kept(lambda n: case.with_threshold(n * EACH).save(folder), number, 0.06)


@pytest.fixture
def finalises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    """A case put in place of another whose rows must not stay; reading it back, which takes most of the time, is left out."""
    monkeypatch.setattr(rewriting, "load_case", lambda folder: folder)
    monkeypatch.setattr(rewriting, "_is_same", lambda *_: True)
    train, folder = table(0), tmp_path / "case"
    model = LogisticRegression().fit(train[["debt"]], train["granted"])
    case = core.Case(model, train, table(2), ROLES)
    case.with_threshold(0.5).save(folder)

    def write(n: int) -> None:
        rewriting._rewrite(case.with_threshold(n * EACH), folder)

    def number() -> int:
        held(folder)
        return round(settings_of(folder)["model"]["threshold"] / EACH)

    return Kept(write, number, 0.06)


@pytest.fixture
def applies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_case: core.Case) -> Kept:
    """A removal applied in the dashboard: one more version in the record beside a case."""
    monkeypatch.setenv("REDRESS_HOME", str(tmp_path))
    case_id = workspace.store(small_case, "Small")
    start = Work(case_id, None, "equal_opportunity_difference", "sex")

    def write(n: int) -> None:
        def put(kept: dict[str, object]) -> dict[str, object]:
            after = start.restored(kept).taking(Step("unlearn", tuple(range(n))))
            return {**kept, **after.to_dict(), "revision": n}

        workspace.change_record(case_id, put)

    def number() -> int:
        assert not workspace.is_damaged(case_id)
        kept = workspace.read(case_id)
        assert len(start.restored(kept).made) == kept.get("revision", 0)
        assert kept["name"] == "Small"
        return int(kept.get("revision", 0))

    return Kept(write, number, 0.004)


@pytest.fixture
def appends(tmp_path: Path) -> Kept:
    """An entry added to a ledger."""
    url, keys = f"sqlite:///{tmp_path / 'redress.db'}", tmp_path / "keys"

    def number() -> int:
        ledger = core.Ledger(url, keys=keys)
        assert ledger.verify().broken == ()
        return len(ledger)

    return Kept(
        lambda n: core.Ledger(url, keys=keys).append_event("note", {"n": n}, actor="Ada", reason="a test"), number, 0.02
    )


@pytest.mark.parametrize("what", ["saves", "finalises", "applies", "appends"])
def test_whatever_is_killed_at_any_moment_the_old_state_or_the_new_is_there(
    what: str, request: pytest.FixtureRequest
) -> None:
    kept: Kept = request.getfixturevalue(what)
    kept.write(1)
    draw, written, caught = random.Random(3), 1, 0  # noqa: S311
    for _ in range(KILLS):
        before = written
        acknowledged = before + _killed(kept, before, draw)
        written = kept.number()
        assert written in (acknowledged, acknowledged + 1), "all that was acknowledged, and at most what was under way"
        caught += written > before
    assert caught >= KILLS // 3, "the children did write"
    kept.write(written + 1)
    assert kept.number() == written + 1


def _killed(kept: Kept, before: int, draw: random.Random) -> int:
    """Write in a process of its own until it is killed; return how often it said that it had."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            for number in range(before + 1, before + 10_000):
                kept.write(number)
                os.write(writing, b".")
        finally:
            os._exit(1)
    os.close(writing)
    heard = len(b"".join(os.read(reading, 1) for _ in range(draw.randint(0, 3))))
    time.sleep(draw.uniform(0.0, kept.seconds))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it ended by itself"
    while part := os.read(reading, 4096):
        heard += len(part)
    os.close(reading)
    return heard
