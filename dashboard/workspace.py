"""Where cases live on the server's disk, under which ids, and for how long."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import core
from core.case.looks import Look
from core.errors import InputError
from core.files.cases.samples import sample_folders
from core.files.cases.storage import load_case
from dashboard.record_file import RECORD, read_record, set_record_aside, update_record

DAY_S = 86_400.0
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


def root() -> Path:
    """Return the folder of all cases, made if need be and closed to other users."""
    folder = Path(os.environ.get("REDRESS_HOME") or Path.home() / ".redress") / "cases"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def keep_days() -> float:
    """Return how many days an uploaded case is kept after it was last opened."""
    return float(os.environ.get("REDRESS_KEEP_DAYS", "30"))


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
    """Save an uploaded case under a new id, whole or not at all, and return the id."""
    case_id = case_id or new_id()
    folder = root() / case_id
    folder.mkdir(mode=0o700)
    try:
        case.save(folder / "case")
        write(case_id, {"name": name})
    except BaseException:
        delete(case_id)
        raise
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
    folder = root() / case_id / "case"
    if not _ID.fullmatch(case_id) or not folder.is_dir():
        raise InputError(
            f"The case in the address must be kept on this server. There is none of that id; it may have been deleted "
            f"after {keep_days():g} days. Open a demonstration or upload the files again."
        )
    return load_case(folder).with_looks(_looks(case_id))


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
    return read_record(root() / case_id) or {}


def is_damaged(case_id: str) -> bool:
    """Return whether there is a record beside the case that cannot be read."""
    return read_record(root() / case_id) is None


def written(case_id: str) -> tuple[int, int]:
    """Return what differs once the record beside the case was written again."""
    try:
        found = (root() / case_id / RECORD).stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino


def write(case_id: str, changes: dict[str, Any]) -> None:
    """Keep `changes` beside the case, whole or not at all."""
    change_record(case_id, lambda kept: {**kept, **changes})


def change_record(case_id: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Replace the record beside the case by what `change` makes of it, whole or not at all."""
    folder = root() / case_id
    folder.mkdir(mode=0o700, exist_ok=True)
    update_record(folder, change)


def put_record_aside(case_id: str) -> None:
    """Keep a damaged record under another name; name and looks stay where they can be read."""
    set_record_aside(root() / case_id, ("name", "looks"))


def ledger(case_id: str) -> core.Ledger:
    """Return the ledger of a case, kept beside it; the keys that sign are this server's own."""
    folder = root() / case_id
    folder.mkdir(mode=0o700, exist_ok=True)
    return core.Ledger(f"sqlite:///{folder / 'ledger.db'}", keys=root().parent / "keys")


def saved() -> list[str]:
    """Return the ids of uploaded cases, last used first."""
    cases = [folder for folder in root().iterdir() if (folder / "case").is_dir()]
    return [folder.name for folder in sorted(cases, key=_last_used, reverse=True)]


def last_used(case_id: str) -> float:
    """Return when a kept case was last opened or worked on, in seconds since the epoch."""
    return _last_used(root() / case_id)


def touch(case_id: str) -> None:
    """Note that the case was opened now; its time of being kept starts anew."""
    path = root() / case_id / RECORD
    if path.exists():
        os.utime(path)


def delete(case_id: str) -> None:
    """Delete everything kept of a case."""
    if _ID.fullmatch(case_id):
        shutil.rmtree(root() / case_id, ignore_errors=True)


def delete_unopened() -> int:
    """Delete what was not opened for longer than `keep_days`; return how many cases that were."""
    oldest = time.time() - keep_days() * DAY_S
    stale = [folder for folder in root().iterdir() if folder.is_dir() and _last_used(folder) < oldest]
    for folder in stale:
        shutil.rmtree(folder, ignore_errors=True)
    return len(stale)


def _last_used(folder: Path) -> float:
    note = folder / RECORD
    return (note if note.exists() else folder).stat().st_mtime
