"""Evidence packs: one file that anyone can check.

It holds a ledger's entries, a report of them, tables, and a signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import core
from core.errors import InputError, InputTypeError, LedgerError, said
from core.files.writing import reason_of, way_out, write_whole
from core.ledger.entries import Entry, canonical_json, chain_faults
from core.ledger.integrity import IntegrityCheck, signer_fault
from core.ledger.pack import MOST_BYTES, BrokenPackError, files_of_pack, pack_of_files
from core.ledger.signing import RAW, checked_fingerprint, fingerprint_of, is_signed

if TYPE_CHECKING:
    from core.case.case import Case
    from core.ledger.ledger import Ledger
    from core.ledger.store import Head

FORMAT = "redress evidence 1"
"""Of packs; later ones get another number, and `verify_evidence` goes on reading this one."""
ENTRIES_FILE, REPORT, CARD, KEY = "entries.json", "report.html", "model_card.md", "public_key.pem"
MANIFEST, SIGNATURE = "manifest.json", "signature.bin"
READ_ME = """This is evidence of what was done to a model. Open report.html in any browser; it needs nothing else.

To check that nothing in here was changed:   redress verify-evidence PACK.zip --fingerprint FINGERPRINT
The fingerprint is that of the signer's key. Ask the signer for it by another way: one that came with this file proves nothing.

Without Redress: openssl pkeyutl -verify -pubin -inkey public_key.pem -rawin -in manifest.json -sigfile signature.bin
checks the signature; manifest.json lists the SHA-256 of every other file. The fingerprint is the SHA-256 of the key's last 32 bytes:
openssl pkey -pubin -in public_key.pem -outform DER | tail -c 32 | sha256sum
"""


def export_evidence(ledger: Ledger, path: str | Path, *, case: Case | None = None) -> Path:
    """Write a ledger's evidence to one file: report, entries, tables, public key, signature.

    Costs O(size of the ledger).

    Parameters
    ----------
    ledger : Ledger
        With the keys that signed it.
    path : str or Path
        A zip file; one that is there is replaced.
    case : Case, optional
        Shows only entries about its tables, the others by their digests alone; adds a model card where the ledger knows its model.

    Returns
    -------
    Path
        The file. Hand `ledger.fingerprint` to whoever is to verify it, by another way.

    Raises
    ------
    InputError
        If the ledger is empty or another signer's, or says nothing of the case.
    LedgerError
        If the ledger is broken, or the file cannot be written; nothing is half written.

    Examples
    --------
    >>> import core, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> ledger = core.Ledger(f"sqlite:///{folder}/redress.db", keys=f"{folder}/keys")
    >>> entry = ledger.append(core.unlearn(core.load_case("credit"), ["A100077"]), actor="Ada", reason="request 17")
    >>> path = core.export_evidence(ledger, f"{folder}/evidence.zip")
    >>> core.verify_evidence(path).status
    'intact, signer not established'
    >>> core.verify_evidence(path, ledger.fingerprint).status
    'intact'
    """
    from core.ledger.ledger import Ledger as AnyLedger  # reading a pack takes no database

    if not isinstance(ledger, AnyLedger):
        raise InputTypeError(f"`ledger` must be a core.Ledger. Got {type(ledger).__name__}; open one by its address.")
    if not isinstance(path, str | Path):
        raise InputTypeError(f"`path` must name a file. Got {type(path).__name__}; write 'evidence.zip'.")
    content = evidence_bytes(ledger, case)
    try:
        write_whole(Path(path), content)
    except OSError as error:
        raise LedgerError(
            f"The evidence must be written to a place with room for it. {str(path)!r} could not be ({reason_of(error)}); nothing was written. "
            f"The way out: {way_out(error)}."
        ) from error
    return Path(path)


def evidence_bytes(ledger: Ledger, case: Case | None = None) -> bytes:
    """Return a ledger's evidence as the content of one file, as `export_evidence` writes it."""
    check = ledger.verify()
    head, entries = ledger.read()
    if not ledger.keys.exist or ledger.keys.public_key.hex() != head.public_key:
        raise InputError(
            f"Evidence must be signed with the key of the ledger, {check.fingerprint}. {str(ledger.keys.folder)!r} does not hold it; "
            "name the folder that does."
        )
    if not check:
        raise LedgerError(f"A ledger must be whole to be evidence. It is broken: {' '.join(check.broken)}")
    return pack_of_files(_contents(ledger, head, entries, case))


def _contents(ledger: Ledger, head: Head, entries: Sequence[Entry], case: Case | None) -> dict[str, bytes]:
    """Return the files of a pack, in order, signed."""
    from core.ledger.card import card_of
    from core.ledger.report import Heading, report_html
    from core.ledger.tables import tables_of

    shown = [entry if _is_about(entry, case) else _digest_only(entry) for entry in entries]
    if case is not None and not any(entry.content for entry in shown):
        raise InputError(
            "Evidence of a case must be in the ledger. It has no entry about this one's tables; append a result of it."
        )
    made = datetime.now(UTC).isoformat(timespec="seconds")
    texts = {
        "read_me.txt": READ_ME,
        REPORT: report_html(shown, Heading(made, head.ledger_id, ledger.fingerprint)),
        ENTRIES_FILE: _written(shown, head.ledger_id),
        **tables_of(shown),
    }
    if case is not None:
        texts[CARD] = card_of(shown, case)
    files = {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
    files[KEY] = Ed25519PublicKey.from_public_bytes(ledger.keys.public_key).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    manifest = {
        "format": FORMAT,
        "made": made,
        "by": f"redress {core.__version__}",
        "ledger": {"id": head.ledger_id, "number": entries[-1].number, "hash": entries[-1].hash},
        "files": [[name, hashlib.sha256(content).hexdigest()] for name, content in files.items()],
    }
    files[MANIFEST] = json.dumps(manifest, indent=1).encode()
    files[SIGNATURE] = ledger.keys.sign(files[MANIFEST])
    return files


def _is_about(entry: Entry, case: Case | None) -> bool:
    return case is None or entry.facts.get("case", {}).get("data") == case.data_digest


def _digest_only(entry: Entry) -> Entry:
    return Entry(entry.number, entry.previous, None, entry.content_digest, entry.hash)


def _written(entries: Iterable[Entry], ledger_id: str) -> str:
    rows = [
        {
            "number": entry.number,
            "previous": entry.previous,
            "content": None if entry.content is None else entry.facts,
            "content_digest": entry.content_digest,
            "hash": entry.hash,
        }
        for entry in entries
    ]
    return json.dumps({"ledger_id": ledger_id, "entries": rows}, indent=1, ensure_ascii=True)


def entries_in(files: Mapping[str, bytes]) -> tuple[str, list[Entry]]:
    """Return the id of a pack's ledger and its entries.

    Raises
    ------
    BrokenPackError
        If they cannot be read.
    """
    try:
        found = json.loads(files[ENTRIES_FILE])
        entries = [
            Entry(
                int(row["number"]),
                str(row["previous"]),
                None if row["content"] is None else canonical_json(row["content"]),
                str(row["content_digest"]),
                str(row["hash"]),
            )
            for row in found["entries"]
        ]
        return str(found["ledger_id"]), entries
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BrokenPackError(f"{ENTRIES_FILE!r} cannot be read ({said(error)}).") from error


def read_pack(path: str | Path) -> dict[str, bytes]:
    """Return the files of a pack.

    Raises
    ------
    InputError
        If there is no such file, or it is too large.
    BrokenPackError
        If it is not whole.
    """
    if not isinstance(path, str | Path):
        raise InputTypeError(
            f"An evidence pack must be named by its path. Got {type(path).__name__}; give the file's name."
        )
    place = Path(path)
    try:
        if not place.is_file():
            raise InputError(f"An evidence pack must be a file. There is none at {str(path)!r}; check the path.")
        if place.stat().st_size > MOST_BYTES:
            raise InputError(
                f"An evidence pack must have at most {MOST_BYTES >> 20} MB. {str(path)!r} has more; it is none."
            )
        content = place.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"An evidence pack must be readable. {str(path)!r} is not ({said(error)}); check it."
        ) from error
    return files_of_pack(content)


def verify_evidence(path: str | Path, key_fingerprint: str | None = None) -> IntegrityCheck:
    """Check an evidence pack, which takes nothing but the file.

    Parameters
    ----------
    path : str or Path
    key_fingerprint : str, optional
        Of whoever must have signed it, from elsewhere than the pack. Without it nobody can tell who did.

    Returns
    -------
    IntegrityCheck
        Falsy where the pack is broken or another's; `.status` is "intact", "intact, signer not established" or "broken", and `.broken` says
        what broke.

    Raises
    ------
    InputError
        If there is no such file, or the fingerprint is none.

    Notes
    -----
    A signature proves that nothing was changed since, and by whom it was signed. It does not prove that what is said is true.
    """
    wanted = None if key_fingerprint is None else checked_fingerprint(key_fingerprint)
    try:
        files = read_pack(path)
        key = _public_key(files)
        broken, n_entries = _faults(files, key)
    except BrokenPackError as error:
        return IntegrityCheck("evidence pack", (str(error),), 0, "", is_signer_known=wanted is not None)
    fingerprint = fingerprint_of(key)
    broken += signer_fault(fingerprint, wanted)
    return IntegrityCheck("evidence pack", tuple(broken), n_entries, fingerprint, is_signer_known=wanted is not None)


def _public_key(files: Mapping[str, bytes]) -> bytes:
    missing = [name for name in (ENTRIES_FILE, REPORT, KEY, MANIFEST, SIGNATURE) if name not in files]
    if missing:
        raise BrokenPackError(f"The pack lacks {missing[0]!r}.")
    try:
        key = serialization.load_pem_public_key(files[KEY])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BrokenPackError(f"{KEY!r} is not a public key.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BrokenPackError(f"{KEY!r} is a key of another kind.")
    return key.public_bytes(*RAW)


def _faults(files: Mapping[str, bytes], key: bytes) -> tuple[list[str], int]:
    """Return the faults of a pack's files, and how many entries it has."""
    broken = []
    if not is_signed(key, files[SIGNATURE], files[MANIFEST]):
        broken.append(f"{SIGNATURE!r} is not the signature of {MANIFEST!r} by {KEY!r}.")
    try:
        manifest: dict[str, Any] = json.loads(files[MANIFEST])
        form, listed, end = manifest["format"], dict(manifest["files"]), manifest["ledger"]
        place = end["id"], end["number"], end["hash"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrokenPackError(" ".join([*broken, f"{MANIFEST!r} cannot be read."])) from error
    if form != FORMAT:
        broken.append(f"The pack is of another format, {str(form)[:40]!r}; verify it with the release that wrote it.")
    if [*listed, MANIFEST, SIGNATURE] != list(files):
        broken.append(f"The pack does not hold just the files that {MANIFEST!r} lists, in their order.")
    broken += [
        f"{name!r} was changed: it is not the file that was signed."
        for name, digest in listed.items()
        if name in files and hashlib.sha256(files[name]).hexdigest() != digest
    ]
    ledger_id, entries = entries_in(files)
    broken += chain_faults(entries, ledger_id)
    last = entries[-1] if entries else None
    if last is None or (ledger_id, last.number, last.hash) != place:
        broken.append("The entries do not end where the ledger did: some were dropped or added.")
    return broken, len(entries)
