"""Evidence packs: canonical, signed, and broken by any change of any byte."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import core
from core.errors import InputError, LedgerError
from core.ledger.entries import Entry, first_hash
from core.ledger.evidence import ENTRIES_FILE, MANIFEST, SIGNATURE, entries_in
from core.ledger.pack import BrokenPackError, files_of_pack, pack_of_files
from core.ledger.signing import Keys
from tests.ledger.conftest import FOURTH, THREE

REWRITING = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def pack(written: core.Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return core.export_evidence(written, tmp_path_factory.mktemp("pack") / "evidence.zip")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path, str]:
    """The bytes of a small pack, a place to write changed ones to, and who signed it."""
    folder = tmp_path_factory.mktemp("small")
    ledger = core.Ledger("sqlite://", keys=folder / "keys")
    for number in range(3):
        ledger.append_event("note", {"number": number}, actor="Ada", reason="a test")
    path = core.export_evidence(ledger, folder / "small.zip")
    return path.read_bytes(), folder / "changed.zip", ledger.fingerprint


def broken_by(content: bytes, place: Path, fingerprint: str | None = None) -> tuple[str, ...]:
    place.write_bytes(content)
    check = core.verify_evidence(place, fingerprint)
    assert bool(check) is not bool(check.broken)
    return check.broken


def headers(content: bytes) -> list[int]:
    """The places of a pack that belong to no file: every byte of its headers, its directory and its end."""
    inside: set[int] = set()
    place = 0
    for name, file in files_of_pack(content).items():
        begin = place + 30 + len(name)
        inside |= set(range(begin, begin + len(file)))
        place = begin + len(file)
    return [place for place in range(len(content)) if place not in inside]


def test_a_pack_is_verified_from_the_file_alone(pack: Path, written: core.Ledger, tmp_path: Path) -> None:
    copy = Path(shutil.copy(pack, tmp_path))
    assert core.verify_evidence(copy).status == "intact, signer not established"
    assert core.verify_evidence(str(copy))
    check = core.verify_evidence(copy, written.fingerprint)
    assert (check.status, check.n_entries, check.broken) == ("intact", 2, ())


def test_openssl_and_unzip_agree(pack: Path, written: core.Ledger, tmp_path: Path) -> None:
    """Nobody needs this program to check a pack."""
    with zipfile.ZipFile(pack) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert all(
        hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest for name, digest in manifest["files"]
    )
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    shown = (tmp_path / "read_me.txt").read_text()
    verify, fingerprint = re.findall(r"^(?:Without Redress: )?(openssl [^\n]+)$", shown, re.MULTILINE)
    ran = subprocess.run(verify.split(), cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "Successfully" in ran.stdout
    ran = subprocess.run(["sh", "-c", fingerprint], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.split()[0] == written.fingerprint


def test_every_byte_outside_the_files_is_held(small: tuple[bytes, Path, str]) -> None:
    """Each byte of every zip header, the directory and the end, changed one at a time."""
    content, place, _ = small
    for at in headers(content):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        with pytest.raises(BrokenPackError):
            files_of_pack(bytes(changed))
    last = bytearray(content)
    last[headers(content)[0]] ^= 1
    assert broken_by(bytes(last), place)


@REWRITING
@given(st.integers(0), st.integers(1, 255))
def test_any_byte_changed_is_found(small: tuple[bytes, Path, str], at: int, by: int) -> None:
    content, place, fingerprint = small
    changed = bytearray(content)
    changed[at % len(content)] ^= by
    assert broken_by(bytes(changed), place, fingerprint)


@REWRITING
@example(which=4, at=35, by=1)  # a key of an algorithm that there is not
@given(st.integers(0), st.integers(1, 255), st.integers(0, 10))
def test_a_byte_changed_in_a_file_is_found_though_the_zip_is_made_anew(
    small: tuple[bytes, Path, str], at: int, by: int, which: int
) -> None:
    """Someone who knows the form mends every checksum of the zip: the signature still tells, and the file is named."""
    content, place, _ = small
    files = files_of_pack(content)
    name = list(files)[which % len(files)]
    file = bytearray(files[name])
    file[at % len(file)] ^= by
    broken = " ".join(broken_by(pack_of_files(files | {name: bytes(file)}), place))
    assert f"{name!r}" in broken or name in (MANIFEST, "public_key.pem"), broken
    assert broken


@REWRITING
@given(st.data())
def test_a_pack_cut_or_added_to_is_found(small: tuple[bytes, Path, str], data: st.DataObject) -> None:
    content, place, _ = small
    end = data.draw(st.integers(0, len(content) - 1))
    assert broken_by(content[:end], place)
    assert broken_by(content + data.draw(st.binary(min_size=1, max_size=9)), place)
    assert broken_by(data.draw(st.binary(min_size=1, max_size=9)) + content, place)


def test_files_left_out_or_turned_around_are_found(small: tuple[bytes, Path, str]) -> None:
    content, place, _ = small
    files = files_of_pack(content)
    for name in files:
        assert broken_by(pack_of_files({other: file for other, file in files.items() if other != name}), place)
    assert "in their order" in broken_by(pack_of_files(dict(reversed(files.items()))), place)[0]
    assert "just the files" in broken_by(pack_of_files(files | {"more.txt": b"more"}), place)[0]


def signed_anew(files: dict[str, bytes], keys: Keys, change: Callable[[list[Entry]], list[Entry]]) -> bytes:
    """A pack with other entries, everything else made to fit and signed by somebody."""
    ledger_id, entries = entries_in(files)
    entries = change(entries)
    rows = [
        {"number": one.number, "previous": one.previous, "content": one.facts, "content_digest": one.content_digest, "hash": one.hash}
        for one in entries
    ]  # fmt: skip
    files = files | {ENTRIES_FILE: json.dumps({"ledger_id": ledger_id, "entries": rows}).encode()}
    manifest = json.loads(files[MANIFEST])
    manifest["ledger"] |= {"number": entries[-1].number, "hash": entries[-1].hash}
    manifest["files"] = [[name, hashlib.sha256(files[name]).hexdigest()] for name, _ in manifest["files"]]
    files[MANIFEST] = json.dumps(manifest).encode()
    files[SIGNATURE] = keys.sign(files[MANIFEST])
    return pack_of_files(files)


def rechained(entries: list[Entry], ledger_id: str, **changes: str) -> list[Entry]:
    previous, found = first_hash(ledger_id), []
    for number, entry in enumerate(entries, 1):
        found.append(Entry.made(number, previous, entry.facts | changes))
        previous = found[-1].hash
    return found


def test_a_pack_signed_by_somebody_else_fails_the_fingerprint(small: tuple[bytes, Path, str], tmp_path: Path) -> None:
    """Another actor, the chain made anew, another key: whole in itself, and only the fingerprint tells."""
    content, place, fingerprint = small
    files = files_of_pack(content)
    ledger_id, _ = entries_in(files)
    mallory = Keys(tmp_path / "mallory")
    other = core.Ledger("sqlite://", keys=tmp_path / "mallory")
    other.append_event("note", {}, actor="M", reason="x")
    files["public_key.pem"] = files_of_pack(core.export_evidence(other, tmp_path / "other.zip").read_bytes())[
        "public_key.pem"
    ]
    forged = signed_anew(files, mallory, lambda entries: rechained(entries, ledger_id, actor="Mallory"))
    assert broken_by(forged, place) == ()
    assert core.verify_evidence(place).status == "intact, signer not established"
    assert "signed by another key" in broken_by(forged, place, fingerprint)[0]


def test_entries_dropped_or_reordered_are_found_though_signed(small: tuple[bytes, Path, str], tmp_path: Path) -> None:
    """What the signer's own key cannot mend: entries that do not follow one another."""
    content, place, _ = small
    files, keys = files_of_pack(content), Keys(place.parent / "keys")
    for change in (
        lambda entries: entries[1:],
        lambda entries: [entries[1], entries[0], entries[2]],
        lambda entries: entries[::2],
    ):
        assert any("Entry" in one for one in broken_by(signed_anew(files, keys, change), place))
    assert broken_by(signed_anew(files, keys, lambda entries: entries), place) == ()


def zipped(name: str, content: bytes, method: int) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return held.getvalue()


def test_other_zips_are_refused_unopened(tmp_path: Path) -> None:
    place = tmp_path / "wrong.zip"
    for name in ("../../etc/passwd", "/etc/passwd", "a/../b.txt", "C:\\b.txt", "a//b.txt", "x" * 300 + ".txt"):
        assert "which no pack holds" in broken_by(zipped(name, b"root", zipfile.ZIP_STORED), place)[0]
    bomb = zipped("report.html", bytes(200 << 20), zipfile.ZIP_DEFLATED)
    assert len(bomb) < 1 << 20
    assert "nothing in one is compressed" in broken_by(bomb, place)[0]
    for content in (b"", b"PK", b"PK\x03\x04", b"<html>", b"PK\x05\x06" + bytes(18), os.urandom(5000)):
        assert broken_by(content, place)
    deep = {ENTRIES_FILE: b"[" * 100_000, "report.html": b"", "public_key.pem": b"", MANIFEST: b"{}", SIGNATURE: b""}
    assert broken_by(pack_of_files(deep), place)


def test_what_names_no_pack_is_an_error(tmp_path: Path, pack: Path) -> None:
    for wrong in (tmp_path, tmp_path / "none.zip", "a\0b", 7, None):
        with pytest.raises(core.RedressError):
            core.verify_evidence(wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="64 digits"):
        core.verify_evidence(pack, "abcd")
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="at most 512 MB"):
        core.verify_evidence(tmp_path / "huge.zip")


def test_no_record_and_no_foreign_address_is_in_a_pack(pack: Path) -> None:
    content = pack.read_bytes()
    assert not any(one.encode() in content for one in [*THREE, FOURTH, "Person-"])
    page = files_of_pack(content)["report.html"].decode()
    assert re.findall(r"(?:\bsrc=|href|url\(|@import|@font-face)", page) == []
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page) == []
    assert "<script" not in page
    assert b"legal" not in content.lower()


def test_evidence_of_a_case_shows_only_what_is_about_it(
    written: core.Ledger, removal: core.UnlearnResult, lending: core.Case, tmp_path: Path, pack: Path
) -> None:
    ledger = core.Ledger(f"sqlite:///{tmp_path}/redress.db", keys=tmp_path / "keys")
    ledger.append_event("note", {"secret": "of another case"}, actor="Ada", reason="another matter")
    ledger.append(removal, actor="Ben", reason="request 17")
    path = core.export_evidence(ledger, tmp_path / "case.zip", case=removal.case)
    files = files_of_pack(path.read_bytes())
    assert b"of another case" not in path.read_bytes()
    assert b"another matter" not in path.read_bytes()
    assert core.verify_evidence(path, ledger.fingerprint).n_entries == 2
    assert "removal of 3 records by Ben" in files["model_card.md"].decode()
    with pytest.raises(InputError, match="no entry about this one's tables"):
        core.export_evidence(ledger, tmp_path / "other.zip", case=core.load_case("null"))
    assert not (tmp_path / "other.zip").exists()


def test_evidence_takes_a_whole_ledger_and_its_key(written: core.Ledger, tmp_path: Path) -> None:
    address = str(written._store.url)
    with pytest.raises(InputError, match="must hold an entry"):
        core.export_evidence(core.Ledger("sqlite://", keys=tmp_path), tmp_path / "e.zip")
    with pytest.raises(InputError, match="with the key of the ledger"):
        core.export_evidence(core.Ledger(address, keys=tmp_path / "none"), tmp_path / "e.zip")
    with pytest.raises(core.RedressError, match=r"must be a core\.Ledger"):
        core.export_evidence(address, tmp_path / "e.zip")  # type: ignore[arg-type]
    with pytest.raises(LedgerError, match="nothing was written"):
        core.export_evidence(written, tmp_path / "no" / "folder" / "e.zip")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".zip"] == []


def test_a_full_disk_keeps_the_pack_that_was_there(small: tuple[bytes, Path, str], tmp_path: Path) -> None:
    ledger = core.Ledger("sqlite://", keys=tmp_path / "keys")
    ledger.append_event("note", {}, actor="Ada", reason="a test")
    path = core.export_evidence(ledger, tmp_path / "evidence.zip")
    before = path.read_bytes()
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        try:
            core.export_evidence(ledger, path)
        except LedgerError as error:
            os._exit(0 if "nothing was written" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".writing")] == []
