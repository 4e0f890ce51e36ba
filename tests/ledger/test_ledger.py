"""The ledger: only added to, chained, signed, whole after whatever happens to a writer."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import core
from core.errors import InputError, LedgerError
from core.ledger.entries import Entry, chain_faults, first_hash
from core.ledger.signing import checked_fingerprint, fingerprint_of
from core.ledger.store import ENTRIES, HEAD, SCHEMA, Store
from tests.ledger.conftest import FOURTH, MEMORY, THREE

WRITERS, EACH = 20, 3


def event(ledger: core.Ledger, number: int = 0) -> Entry:
    return ledger.append_event("note", {"number": number}, actor="Ada", reason="a test")


def forced(ledger: core.Ledger, statement: str, *values: Any) -> None:
    """Change a SQLite ledger behind its back, its triggers dropped."""
    path = str(ledger._store.url.database)
    with sqlite3.connect(path) as connection:
        for name in ("redress_no_update", "redress_no_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        connection.execute(statement, values)
    connection.close()


def test_an_entry_says_what_was_done_and_names_nobody(written: core.Ledger, removal: core.UnlearnResult) -> None:
    first = written.entries[0]
    facts = first.facts
    assert (first.number, first.kind, first.actor, first.reason) == (1, "removal", "Ada", "request 17")
    assert facts["case"]["before"] == removal.before.key
    assert facts["case"]["after"] == removal.case.key == written.entries[1].facts["case"]["before"]
    assert facts["case"]["data"] == removal.before.data_digest
    assert facts["method"]["guarantee"] == "certified"
    assert facts["method"]["bound"] == removal.bound
    assert facts["forgotten"]["n"] == 3 == len(facts["forgotten"]["hashes"])
    shift = core.compare(removal.before, removal.case, metric="equal_opportunity_difference")
    row = next(one for one in facts["measured"]["metrics"] if one["metric"] == "equal_opportunity_difference")
    for name in ("before", "after", "change", "low", "high"):
        assert row[name] == pytest.approx(shift[name].iloc[0], abs=1e-12)
    assert facts["guardrails"]["verdict"] == core.guardrails(removal.before, removal.case).verdict
    assert facts["proof"]["retrain_gap"]["n_flipped"] == 0
    assert facts["environment"]["redress"] == core.__version__
    names = {
        "path": Path(str(written._store.url.database)).read_bytes(),
        "content": "".join(str(entry.content) for entry in written.entries).encode(),
    }
    for content in names.values():
        assert not any(one.encode() in content for one in [*THREE, FOURTH])


def test_ids_are_hidden_by_a_key_that_lies_elsewhere(written: core.Ledger, tmp_path: Path) -> None:
    assert [entry.number for entry in written.entries_about(THREE[:1])] == [1]
    assert written.entries_about(["Person-train-0008"]) == ()
    other = core.Ledger(str(written._store.url), keys=tmp_path / "other")
    assert other.entries_about(THREE) == ()
    assert written.keys.hidden_id(7) != written.keys.hidden_id("7")
    assert not (tmp_path / "other").exists()


def test_a_timeline_lists_who_and_why(written: core.Ledger) -> None:
    table = written.to_frame()
    assert table["actor"].tolist() == ["Ada", "Ben"]
    assert table["reason"].tolist() == ["request 17", "request 18"]


def test_a_second_result_follows_the_first(url: str, keys: Path) -> None:
    ledger = core.Ledger(url, keys=keys)
    first, second = event(ledger, 1), event(ledger, 2)
    assert second.previous == first.hash
    assert [entry.facts["number"] for entry in ledger.entries] == [1, 2]
    check = ledger.verify()
    assert check
    assert check.status == "intact"
    assert ledger.verify(ledger.fingerprint.upper()).status == "intact"
    other = ledger.verify("ab" * 32)
    assert not other
    assert "signed by another key" in other.broken[0]


def test_entries_are_neither_changed_nor_deleted(url: str, keys: Path) -> None:
    ledger = core.Ledger(url, keys=keys)
    event(ledger)
    for statement in (sa.update(ENTRIES).values(content="{}"), sa.delete(ENTRIES)):
        with pytest.raises(sa.exc.DBAPIError, match="only ever added to"), ledger._store.engine.begin() as connection:
            connection.execute(statement)
    assert ledger.verify()


def test_twenty_writers_at_once_lose_nothing(url: str, keys: Path) -> None:
    """Ten threads, and ten processes that start with no ledger and no keys in place."""

    def write(writer: int) -> None:
        mine = core.Ledger(url, keys=keys)
        for step in range(EACH):
            event(mine, EACH * writer + step)

    children = [_forked(lambda writer=writer: write(writer)) for writer in range(WRITERS // 2)]
    with ThreadPoolExecutor(WRITERS // 2) as pool:
        list(pool.map(write, range(WRITERS // 2, WRITERS)))
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * len(children)
    ledger = core.Ledger(url, keys=keys)
    assert sorted(entry.facts["number"] for entry in ledger.entries) == list(range(WRITERS * EACH))
    assert ledger.verify().broken == ()
    times = [entry.at for entry in ledger.entries]
    assert times == sorted(times)


def test_a_ledger_in_memory_takes_threads_one_after_another(keys: Path) -> None:
    ledger = core.Ledger("sqlite://", keys=keys)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: event(ledger, number), range(24)))
    assert ledger.verify()
    assert len(ledger) == 24


def _forked(act: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        act()
        code = 0
    finally:
        os._exit(code)


def test_a_writer_killed_at_any_moment_leaves_the_ledger_whole(url: str, keys: Path) -> None:
    """kill -9 at 50 random moments: all that was acknowledged is there, nothing is half there."""
    draw, acknowledged = random.Random(5), 0
    event(core.Ledger(url, keys=keys))
    for _ in range(50):
        reading, writing = os.pipe()
        child = _forked(lambda writing=writing: _write_on(url, keys, writing))
        os.close(writing)
        heard = b"".join(os.read(reading, 1) for _ in range(draw.randint(1, 3)))
        time.sleep(draw.uniform(0.0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        acknowledged += len(heard + _rest(reading)) - 1
    ledger = core.Ledger(url, keys=keys)
    assert ledger.verify().broken == ()
    assert acknowledged + 1 <= len(ledger) <= acknowledged + 51
    assert acknowledged > 25
    event(ledger)


def _write_on(url: str, keys: Path, acknowledge: int) -> None:
    ledger = core.Ledger(url, keys=keys)
    os.write(acknowledge, b"r")
    while True:
        event(ledger)
        os.write(acknowledge, b".")


def _rest(reading: int) -> bytes:
    content = b""
    while part := os.read(reading, 65536):
        content += part
    os.close(reading)
    return content


# -- somebody else's hand


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], core.Ledger]]:
    """Gives a fresh copy of a ledger of four entries, with its keys."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY)) if MEMORY.is_dir() else tmp_path_factory.mktemp("copied")
    ledger = core.Ledger(f"sqlite:///{folder}/redress.db", keys=folder / "keys")
    for number in range(4):
        event(ledger, number)
    content = (folder / "redress.db").read_bytes()

    def copy() -> core.Ledger:
        (folder / "redress.db").write_bytes(content)
        return ledger

    yield copy
    shutil.rmtree(folder)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 4), st.sampled_from(["previous", "content", "content_digest", "hash"]), st.integers(0), st.data())
def test_a_character_changed_in_an_entry_is_found(
    copied: Callable[[], core.Ledger], number: int, column: str, place: int, data: st.DataObject
) -> None:
    ledger = copied()
    text = str(getattr(ledger.entries[number - 1], column))
    place %= len(text)
    other = data.draw(st.characters(max_codepoint=126, exclude_characters=text[place], min_codepoint=32))
    changed = text[:place] + other + text[place + 1 :]
    forced(ledger, f"UPDATE redress_entries SET {column} = ? WHERE number = ?", changed, number)
    check = ledger.verify()
    assert not check
    assert any(f"Entry {number}" in fault or "last entry" in fault for fault in check.broken), check.broken


@pytest.mark.parametrize("name", ["ledger_id", "number", "hash", "public_key", "signature"])
def test_a_head_that_is_changed_is_found(copied: Callable[[], core.Ledger], name: str) -> None:
    ledger = copied()
    value = {"number": 3, "public_key": "ab" * 32}.get(name)
    if value is None:
        forced(ledger, f"UPDATE redress_head SET {name} = upper(substr({name}, 1, 4)) || substr({name}, 5)")
        forced(ledger, f"UPDATE redress_head SET {name} = 'f' || substr({name}, 2) WHERE {name} = lower({name})")
    else:
        forced(ledger, f"UPDATE redress_head SET {name} = ?", value)
    assert not ledger.verify()


def test_dropped_and_reordered_entries_are_found(copied: Callable[[], core.Ledger]) -> None:
    faults = {}
    for number in (1, 2, 4):
        ledger = copied()
        forced(ledger, "DELETE FROM redress_entries WHERE number = ?", number)
        faults[number] = ledger.verify().broken[0]
    assert "Entry 1 is missing" in faults[1]
    assert "Entry 2 is missing" in faults[2]
    assert "entries were dropped or added" in faults[4]
    ledger = copied()
    for old, new in ((2, 9), (3, 2), (9, 3)):
        forced(ledger, "UPDATE redress_entries SET number = ? WHERE number = ?", new, old)
    assert "Entry 2" in ledger.verify().broken[0]
    ledger = copied()
    forced(ledger, "DELETE FROM redress_head")
    assert not ledger.verify()


def test_a_chain_made_anew_without_the_key_is_found(copied: Callable[[], core.Ledger], tmp_path: Path) -> None:
    """Every hash right, another content: only the signature tells."""
    ledger = copied()
    head, entries = ledger.read()
    previous, chain = first_hash(head.ledger_id), []
    for entry in entries:
        chain.append(Entry.made(entry.number, previous, entry.facts | {"actor": "Mallory"}))
        previous = chain[-1].hash
    assert chain_faults(chain, head.ledger_id) == []
    for entry in chain:
        values = entry.previous, entry.content, entry.content_digest, entry.hash, entry.number
        forced(
            ledger, "UPDATE redress_entries SET previous=?, content=?, content_digest=?, hash=? WHERE number=?", *values
        )
    forced(ledger, "UPDATE redress_head SET hash = ?", previous)
    assert "does not belong to it" in ledger.verify().broken[0]
    with pytest.raises(LedgerError, match="must be whole"):
        event(ledger)
    mallory = core.Ledger(f"sqlite:///{tmp_path}/other.db", keys=tmp_path / "keys")
    signed = mallory._signed(head.ledger_id, chain[-1])
    forced(ledger, "UPDATE redress_head SET public_key = ?, signature = ?", signed.public_key, signed.signature)
    assert any("signed by another key" in fault for fault in ledger.verify().broken)
    with pytest.raises(InputError, match="with the key that signed it"):
        event(ledger)
    without_keys = core.Ledger(str(ledger._store.url), keys=tmp_path / "none")
    assert without_keys.verify().status == "intact, signer not established"


def test_a_ledger_put_back_to_an_earlier_state_is_found(ledger: core.Ledger) -> None:
    event(ledger)
    path = Path(str(ledger._store.url.database))
    earlier = path.read_bytes()
    event(ledger)
    path.write_bytes(earlier)
    assert "Entries 2 to 2 are gone" in ledger.verify().broken[0]
    with pytest.raises(LedgerError, match="earlier state"):
        event(ledger)


# -- bad input and bad places


def test_a_place_that_serves_no_ledger_is_told_in_a_sentence(tmp_path: Path, keys: Path) -> None:
    said = {}
    for address in ("redress.db", "nosuch://host/db", "oracle://host/db", 7, "sqlite:///a\N{NULL}b"):
        with pytest.raises(core.RedressError) as found:
            event(core.Ledger(address, keys=keys))  # type: ignore[arg-type]
        said[address] = str(found.value)
    assert all("sqlite:///redress.db" in said[one] for one in ("redress.db", "sqlite:///a\N{NULL}b"))
    assert "driver is installed" in said["nosuch://host/db"]
    with pytest.raises(LedgerError, match=r"ledger at sqlite:.* nothing was written; check that the folder exists"):
        event(core.Ledger(f"sqlite:///{tmp_path}/no/folder/redress.db", keys=keys))
    (tmp_path / "text.db").write_text("not a database, but long enough to be taken for one" * 40)
    with pytest.raises(LedgerError, match="something else or damaged"):
        core.Ledger(f"sqlite:///{tmp_path}/text.db", keys=keys).verify()


def test_a_server_that_does_not_answer_is_told_without_its_password(keys: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(LedgerError, match="check the address and that the database runs") as found:
        event(core.Ledger("postgresql://me:secret@127.0.0.1:1/db", keys=keys))
    assert "secret" not in str(found.value)


def test_reading_makes_no_file(ledger: core.Ledger, keys: Path, tmp_path: Path) -> None:
    assert len(ledger) == 0
    assert ledger.verify().n_entries == 0
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_may_only_be_read_says_so(ledger: core.Ledger, tmp_path: Path, keys: Path) -> None:
    event(ledger)
    reading = core.Ledger(f"sqlite:///file:{tmp_path}/redress.db?mode=ro&uri=true", keys=keys)
    assert reading.verify()
    with pytest.raises(LedgerError, match="make the file and its folder writable"):
        event(reading)
    assert len(ledger) == 1


def test_a_full_disk_leaves_nothing_half_written(ledger: core.Ledger, tmp_path: Path) -> None:
    """Files may not grow past a size, in a process of its own: appends fail with a sentence, and the ledger is whole."""
    event(ledger)
    reading, writing = os.pipe()

    def fill() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = (tmp_path / "redress.db").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 8192, size + 8192))
        for number in range(100):
            try:
                ledger.append_event("note", {"text": "x" * 4000, "number": number}, actor="Ada", reason="a test")
            except LedgerError as error:
                os.write(writing, str(error).encode())
                return

    child = _forked(fill)
    os.close(writing)
    os.waitpid(child, 0)
    assert b"nothing was written; free some space" in _rest(reading)
    assert ledger.verify()
    event(ledger)


def test_keys_that_cannot_be_used_are_told(ledger: core.Ledger, keys: Path, tmp_path: Path) -> None:
    event(ledger)
    assert (keys / "signing_key.pem").stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="folder of keys must be readable"):
        event(core.Ledger(f"sqlite:///{tmp_path}/new.db", keys=tmp_path / "file"))
    (keys / "signing_key.pem").write_text("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n")
    with pytest.raises(InputError, match="damaged"):
        event(core.Ledger(f"sqlite:///{tmp_path}/redress.db", keys=keys))
    with pytest.raises(core.RedressError, match="must name a folder"):
        core.Ledger("sqlite://", keys=7)  # type: ignore[arg-type]


def test_what_is_appended_is_checked(ledger: core.Ledger, removal: core.UnlearnResult) -> None:
    for wrong in (
        {"result": removal.case},
        {"actor": ""},
        {"actor": 7},
        {"reason": "x" * 3000},
        {"proof": {}},
        {"found": 7},
        {"alternatives": [7]},
        {"random": []},
        {"metric": "nothing"},
        {"profile": "nothing"},
        {"on": "nothing"},
    ):
        call: dict[str, Any] = {"result": removal, "actor": "Ada", "reason": "a test"} | wrong
        with pytest.raises(core.RedressError):
            ledger.append(call.pop("result"), **call)
    assert len(ledger) == 0


class Telling:
    def to_dict(self) -> dict[str, Any]:
        return {"residue": {"sentence": "no array holds a removed row"}, "rows": [THREE[0]]}


def test_a_proof_must_not_name_who_was_forgotten(ledger: core.Ledger, removal: core.UnlearnResult) -> None:
    with pytest.raises(InputError, match="must not name the records"):
        ledger.append(removal, actor="Ada", reason="a test", proof=Telling())


def test_a_later_schema_is_left_alone(ledger: core.Ledger) -> None:
    event(ledger)
    forced(ledger, "UPDATE redress_head SET schema = ?", SCHEMA + 1)
    for act in (ledger.verify, lambda: event(ledger)):
        with pytest.raises(LedgerError, match="release that wrote it"):
            act()


def test_an_earlier_schema_is_brought_up_when_written_to(ledger: core.Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    first = event(ledger)
    done = []
    monkeypatch.setattr("core.ledger.store.SCHEMA", SCHEMA + 1)
    monkeypatch.setattr("core.ledger.store.UPGRADES", {SCHEMA: lambda _: done.append(SCHEMA)})
    assert ledger.verify()
    assert done == []
    event(ledger)
    event(ledger)
    assert done == [SCHEMA]
    assert ledger.entries[0].hash == first.hash
    with Store(str(ledger._store.url)).engine.connect() as connection:
        assert connection.execute(sa.select(HEAD.c.schema)).scalar() == SCHEMA + 1


@pytest.mark.parametrize("wrong", ["", "ab", "xy" * 32, "ab" * 33, 7, None])
def test_a_fingerprint_must_be_whole(wrong: object) -> None:
    with pytest.raises(core.RedressError, match="fingerprint"):
        checked_fingerprint(wrong)


def test_a_fingerprint_is_read_however_it_is_grouped() -> None:
    digits = fingerprint_of(bytes(32))
    assert checked_fingerprint("SHA256:" + " ".join(digits[i : i + 4] for i in range(0, 64, 4))) == digits


def test_a_fingerprint_of_sha256sum_agrees() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", "import hashlib, sys; print(hashlib.sha256(bytes(32)).hexdigest())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.strip() == fingerprint_of(bytes(32))
