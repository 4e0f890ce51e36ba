"""Cases on the server's disk, under which ids, and the record beside each."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import core
from core.case.looks import Look
from core.errors import InputError, RedressError, StorageError
from core.files.cases.samples import sample_folders
from core.files.cases.storage import load_case
from core.files.writing import reason_of, way_out
from dashboard import bookkeeping
from dashboard.bookkeeping import RecordChange, trouble
from dashboard.places import delete_whole, made_root, root, storing
from dashboard.record_file import RECORD, read_record, set_record_aside, update_record
from dashboard.retention import keep_days, last_used

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}(~[A-Za-z0-9_-]{4,32})?")


@dataclass(frozen=True)
class Demo:
    """A demonstration case that comes with the product."""

    name: str
    folder: Path
    title: str
    about: str

    @property
    def slug(self) -> str:
        """Its title as it stands in an address.

        Folders are named by what is in them, which a workshop is to find out.
        """
        return re.sub("[^a-z0-9]+", "-", self.title.lower()).strip("-")


def demos() -> list[Demo]:
    """Return the demonstration cases, by name."""
    found = []
    for name, folder in sample_folders().items():
        readme = folder / "README.md"
        lines = readme.read_text(encoding="utf-8").splitlines() if readme.exists() else []
        title = next((line.lstrip("# ") for line in lines if line.startswith("#")), name)
        found.append(Demo(name, folder, title, " ".join(_first_paragraph(lines))))
    return found


def _first_paragraph(lines: list[str]) -> list[str]:
    body = [line.strip() for line in lines if not line.startswith("#")]
    while body and not body[0]:
        body.pop(0)
    return body[: body.index("")] if "" in body else body


def demo_id(demo: Demo) -> str:
    """Return the id of a working copy of a demonstration.

    Its title, and a part that keeps visitors apart.
    """
    return f"{demo.slug}~{secrets.token_urlsafe(6)}"


def demo_of(case_id: str) -> Demo | None:
    """Return the demonstration a case id belongs to, or None for an uploaded case."""
    name = case_id.partition("~")[0]
    return next((demo for demo in demos() if name in (demo.name, demo.slug)), None)


def new_id() -> str:
    """Return an id for an uploaded case that cannot be guessed."""
    return secrets.token_urlsafe(16)


def store(case: core.Case, name: str, case_id: str = "") -> str:
    """Save an uploaded case under a new id, whole or not at all, and return the id.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    case_id = case_id or new_id()
    with storing(case_id) as folder:
        case.save(folder / "case")
        update_record(folder, lambda _: {"name": name})
    return case_id


def load(case_id: str) -> core.Case:
    """Return the case as it was before anything was removed.

    Raises
    ------
    InputError
        If no such case is kept here.
    """
    demo = demo_of(case_id) if _ID.fullmatch(case_id) else None
    if demo is not None:
        return load_case(demo.folder).with_looks(_looks(case_id))
    try:
        if not _ID.fullmatch(case_id) or not (_folder(case_id) / "case").is_dir():
            raise _none_there()
        return load_case(_folder(case_id) / "case").with_looks(_looks(case_id))
    except OSError as error:
        if isinstance(error, RedressError):
            raise
        raise StorageError(
            f"A case must be readable on this server's disk. It is not ({reason_of(error)}); {way_out(error)}, and open it again."
        ) from error
    except RedressError as error:
        raise (_none_there() if is_gone(case_id) else error) from error


def _none_there() -> InputError:
    return InputError(
        f"The case in the address must be kept on this server. There is none of that id; it may have been deleted "
        f"after {keep_days():g} days, or by somebody who had its address. Open a demonstration or upload the files again."
    )


def is_gone(case_id: str) -> bool:
    """Return whether an uploaded case is not on the disk any more.

    A disk that cannot be read says nothing, nor does one that is not there.
    """
    if demo_of(case_id) is not None:
        return False
    try:
        root().stat()
    except OSError:
        return False
    try:
        (_folder(case_id) / "case").stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _folder(case_id: str) -> Path:
    return root() / case_id


def _made_folder(case_id: str) -> Path:
    """Return the folder of a case; that of an upload is never made again once it is gone."""
    if demo_of(case_id) is None:
        return _folder(case_id)
    folder = made_root() / case_id
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _looks(case_id: str) -> list[Look]:
    """Return the looks at the confirm rows that were noted beside a case."""
    looks = read(case_id).get("looks", [])
    pairs = [look for look in looks if isinstance(look, list) and len(look) == 2] if isinstance(looks, list) else []
    return [Look(str(at), str(what)) for at, what in pairs]


def case_title(case_id: str) -> str:
    """Return what people call the case."""
    demo = demo_of(case_id)
    return demo.title if demo is not None else str(read(case_id).get("name") or "Uploaded case")


def read(case_id: str) -> dict[str, Any]:
    """Return the record kept beside the case: its name and its versions so far.

    It is empty where there is none or it cannot be read.
    """
    try:
        return read_record(_folder(case_id)) or {}
    except StorageError:
        return {}


def is_damaged(case_id: str) -> bool:
    """Return whether there is a record beside the case that cannot be read."""
    try:
        return read_record(_folder(case_id)) is None
    except StorageError:
        return False


def written(case_id: str) -> tuple[int, int]:
    """Return what differs once the record beside the case was written again."""
    try:
        found = (_folder(case_id) / RECORD).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def write(case_id: str, changes: dict[str, Any]) -> None:
    """Keep `changes` beside the case, whole or not at all."""
    change_record(case_id, lambda kept: {**kept, **changes})


def change_record(case_id: str, change: RecordChange) -> None:
    """Replace the record beside the case by what `change` makes of it, whole or not at all.

    Changes that wait are made first.

    Raises
    ------
    OSError
        If it cannot be written, or the case is gone.
    """
    earlier = bookkeeping.waiting_changes(case_id)

    def all_of_them(kept: dict[str, Any]) -> dict[str, Any]:
        for one in (*earlier, change):
            kept = one(kept)
        return kept

    update_record(_made_folder(case_id), all_of_them)
    bookkeeping.drop_waiting(case_id, earlier)


def note(case_id: str, change: RecordChange) -> None:
    """Change the record beside the case now, or once the disk takes it; no page stops for it."""
    bookkeeping.wait(case_id, change)
    catch_up(case_id)


def catch_up(case_id: str) -> None:
    """Write what waits, and look whether the disk takes anything again."""
    if bookkeeping.waiting_changes(case_id):
        bookkeeping.attempt(case_id, lambda: change_record(case_id, dict))
    elif trouble(case_id):
        touch(case_id)


def put_record_aside(case_id: str) -> None:
    """Keep a damaged record under another name; name and looks stay where they can be read."""
    set_record_aside(_made_folder(case_id), ("name", "looks"))


def ledger(case_id: str) -> core.Ledger:
    """Return the ledger of a case, kept beside it; the keys that sign are this server's own.

    Where its folder cannot be made, adding to it says so.
    """
    with suppress(OSError):
        _made_folder(case_id)
    return core.Ledger(f"sqlite:///{_folder(case_id) / 'ledger.db'}")


def saved() -> list[str]:
    """Return the ids of uploaded cases, last used first.

    Raises
    ------
    StorageError
        If the disk does not tell.
    """
    try:
        cases = [folder for folder in root().iterdir() if _ID.fullmatch(folder.name) and (folder / "case").is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(
            f"The folder of cases must be readable to list them. It is not ({reason_of(error)}); {way_out(error)}. An id opens a case all the same."
        ) from error
    return [folder.name for folder in sorted(cases, key=lambda folder: last_used(folder) or 0.0, reverse=True)]


def when_used(case_id: str) -> float | None:
    """Return when a kept case was last opened or worked on, in seconds since the epoch."""
    return last_used(_folder(case_id))


def touch(case_id: str) -> None:
    """Note that the case was opened now; its time of being kept starts anew."""
    bookkeeping.attempt(case_id, lambda: _touched(_folder(case_id)))


def _touched(folder: Path) -> None:
    path = folder / RECORD
    if path.exists():
        os.utime(path)


def delete(case_id: str) -> None:
    """Delete everything kept of a case.

    Raises
    ------
    StorageError
        If it cannot be.
    """
    bookkeeping.forget_notes(case_id)
    try:
        if _ID.fullmatch(case_id):
            delete_whole(_folder(case_id))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(
            f"A case must be deleted where the disk may be written. It could not be ({reason_of(error)}); {way_out(error)}, and delete it again."
        ) from error


def discard(case_id: str) -> None:
    """Delete a case that was given up.

    What the disk refuses goes once nobody opens it for long.
    """
    with suppress(StorageError):
        delete(case_id)
