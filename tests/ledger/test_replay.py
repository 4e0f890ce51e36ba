"""A replay does again what was written down, and finds a figure that is not true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import core
from core.errors import InputError
from core.ledger.entries import Entry
from tests.ledger.conftest import THREE


@pytest.fixture(scope="module")
def pack(written: core.Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return core.export_evidence(written, tmp_path_factory.mktemp("pack") / "evidence.zip")


def test_a_chain_of_removals_is_done_again_on_the_saved_case(
    pack: Path, written: core.Ledger, lending: core.Case, tmp_path: Path
) -> None:
    """From the folder alone: nothing of the first removal's memory is at hand."""
    again = core.load_case(lending.save(tmp_path / "case"))
    replay = core.replay_evidence(pack, again, keys=written.keys.folder)
    assert replay.faults == ()
    assert replay
    assert replay.replayed == (1, 2)
    assert replay.n_figures > 2_000


class Lying:
    """Writes figures down other than they are."""

    def __init__(self, ledger: core.Ledger) -> None:
        self.ledger = ledger

    def append(self, result: core.UnlearnResult, part: str, value: Any) -> Entry:
        from core.ledger import ledger as module

        write = module.Ledger._write

        def lie(self: core.Ledger, facts: dict[str, Any], actor: str, reason: str) -> Entry:
            place = facts
            *way, last = part.split("/")
            for step in way:
                place = place[int(step) if step.isdecimal() else step]
            place[int(last) if last.isdecimal() else last] = value
            return write(self, facts, actor, reason)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module.Ledger, "_write", lie)
            return self.ledger.append(result, actor="Mallory", reason="a lie", proof=core.retrain_gap(result.case))


def test_a_lie_that_is_signed_is_found(removal: core.UnlearnResult, keys: Path) -> None:
    """Whole and signed, and not true: each of these is told by name."""
    lies = {
        "measured/metrics/0/after": 0.0,
        "guardrails/verdict": "fairer",
        "proof/retrain_gap/n_flipped": 1,
    }
    for part, value in lies.items():
        ledger = core.Ledger("sqlite://", keys=keys)
        Lying(ledger).append(removal, part, value)
        assert ledger.verify()
        replay = core.replay_evidence(ledger, removal.before)
        assert not replay
        assert len(replay.faults) == 1, replay.faults
        assert part.split("/")[0] in replay.faults[0]
        assert part.split("/")[-1] in replay.faults[0]


def test_a_model_that_did_not_forget_is_found(removal: core.UnlearnResult, keys: Path) -> None:
    """A removal that only relabels the version: the figures after it are those of another model."""
    from dataclasses import replace

    many = core.unlearn(removal.before, removal.before.record_ids[:150])
    fake = replace(many, case=removal.before.replace(removal.before.model, many.case.retained))
    ledger = core.Ledger("sqlite://", keys=keys)
    ledger.append(fake, actor="Mallory", reason="nothing was done")
    replay = core.replay_evidence(ledger, removal.before)
    assert not replay
    assert any("after" in fault for fault in replay.faults), replay.faults


def test_what_cannot_be_done_again_is_said(
    pack: Path, written: core.Ledger, lending: core.Case, removal: core.UnlearnResult, keys: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="must have the key that hides ids"):
        core.replay_evidence(pack, lending, keys=tmp_path / "none")
    with pytest.raises(InputError, match="says nothing of these tables"):
        core.replay_evidence(pack, core.load_case("null"), keys=written.keys.folder)
    other = core.Ledger("sqlite://", keys=keys)
    other.append_event("note", {}, actor="Ada", reason="a test")
    other.keys.hidden_id(1)
    replay = core.replay_evidence(pack, lending, keys=keys)
    assert not replay
    assert "3 of 3 hashed ids are those of no record here" in replay.faults[0]
    later = core.replay_evidence(pack, removal.case, keys=written.keys.folder)
    assert later.replayed == (2,)
    assert "Entry 1 was not replayed" in later.notes[0]
    broken = tmp_path / "broken.zip"
    broken.write_bytes(pack.read_bytes()[:-1])
    with pytest.raises(InputError, match="Only what is whole can be replayed"):
        core.replay_evidence(broken, lending, keys=keys)
    with pytest.raises(core.RedressError, match="evidence pack or a ledger"):
        core.replay_evidence(7, lending, keys=keys)  # type: ignore[arg-type]


def test_other_steps_are_written_down_and_replayed_where_they_can_be(lending: core.Case, keys: Path) -> None:
    ledger = core.Ledger("sqlite://", keys=keys)
    again = core.refit(lending)
    edited = core.edit(again.case, {THREE[0]: 1 - int(lending.train.set_index("person").loc[THREE[0], "granted"])})
    for result in (again, edited):
        ledger.append(result, actor="Ada", reason="a test")
    assert [entry.kind for entry in ledger.entries] == ["refit", "edit"]
    assert ledger.entries[1].facts["n_edited"] == 1
    replay = core.replay_evidence(ledger, lending)
    assert replay.faults == ()
    assert replay.replayed == (1,)
    assert "does not hold changed labels" in replay.notes[0]
