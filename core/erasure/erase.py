"""Erasure requests carried out: rows found, removed, proven, deleted, written down."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.actions.unlearn import unlearn
from core.case.arguments import check_flag, check_path
from core.case.case import Case, check_case
from core.erasure.asked import RequestedRows, rows_asked
from core.erasure.finalise import finalise as without_rows
from core.erasure.result import Erasure
from core.errors import InputError, InputTypeError, RedressError
from core.files.cases.rewriting import check_rewritable, rewrite_case
from core.files.tables.id_list import IdList
from core.former import check_progress, formerly
from core.ledger.evidence import export_evidence
from core.ledger.ledger import Ledger
from core.typing import Progress, part_of
from core.verification.verify import verify

REASON = "erasure request"


@formerly()
def erase(
    case: Case,
    ids: Iterable[Any] | IdList,
    *,
    by: str = "record",
    finalise: bool = False,
    actor: str | None = None,
    reason: str = REASON,
    ledger: Ledger | None = None,
    report: str | Path | None = None,
    folder: str | Path | None = None,
    method: str = "auto",
    attacks: bool = False,
    progress: Progress | None = None,
) -> Erasure:
    """Carry out an erasure request: find all rows, remove them, prove, delete, write down.

    Costs one removal and one training, for the proof, however many ids there are.

    Parameters
    ----------
    case : Case
    ids : iterable or IdList
        Who is to be forgotten; `core.read_ids(case, file)` reads a list. Texts may spell an id otherwise than the table.
    by : {"record", "subject"}
        What the ids name; a subject may have several rows.
    finalise : bool
        Whether to drop the rows from the tables as well, with those of all earlier removals, so that nothing can be undone.
    actor, reason : str
        Who does it, and why. Without an actor it is the name this process runs under.
    ledger : Ledger, optional
        Where the removal and the erasure are written down.
    report : str or Path, optional
        Evidence pack to write. Without a ledger it holds the only entries about the erasure.
    folder : str or Path, optional
        The saved case that `case` was loaded from, to be rewritten without the rows; it takes `finalise`.
    method : str
        A name from `core.unlearners_for`, or "auto".
    attacks : bool
        Whether the proof makes membership attacks: up to 13 further trainings.
    progress : callable, optional
        Called with the share done and what is being done; may raise to cancel, before anything was written.

    Returns
    -------
    Erasure
        Falsy where ids are of nobody, a check of the proof fails, or something could not be written. Where a check fails nothing is deleted or
        written.

    Raises
    ------
    InputError
        If the list is empty or names nobody or everybody, or the folder cannot be rewritten; nothing has changed then.
    LedgerError
        If the removal cannot be written down; nothing is deleted then.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("credit")
    >>> done = core.erase(case, ["A100077", "A100000"], finalise=True)
    >>> done.n_records, done.not_found, "A100077" in done.case.record_ids, done.proven
    (1, ('A100000',), False, True)
    """
    check_case(case)
    check_flag("finalise", finalise)
    check_flag("attacks", attacks)
    check_progress(progress)
    if ledger is not None and not isinstance(ledger, Ledger):
        raise InputTypeError(f"`ledger` must be a core.Ledger. Got {type(ledger).__name__}; write core.Ledger(url).")
    place, pack = _checked_places(folder, report, finalise=finalise)
    who = _user() if actor is None else actor
    asked = rows_asked(case, ids, by)
    if place is not None:
        check_rewritable(place, case)
    done = _removed(case, asked, method, attacks=attacks, progress=progress)
    if not done.proven:
        return done
    if finalise:
        after = without_rows(done.case, test_rows=asked.test if asked.test.any() else None)
        done = replace(done, case=after, finalised=True, n_dropped=len(case.train) - len(after.train))
    if ledger is None and pack is not None:
        ledger = Ledger("sqlite://")  # In memory: the pack alone keeps its entries.
    return _written(case, done, _Writing(ledger, who, reason, place, pack), asked)


@dataclass(frozen=True)
class _Writing:
    """Where an erasure is written down, and by whom."""

    ledger: Ledger | None
    actor: str
    reason: str
    folder: Path | None
    report: Path | None


def _checked_places(folder: object, report: object, *, finalise: bool) -> tuple[Path | None, Path | None]:
    for path, what in ((folder, "A folder for the case"), (report, "Evidence")):
        if path is not None:
            check_path(path, what)
    place, pack = (None if path is None else Path(str(path)) for path in (folder, report))
    if place is not None and not finalise:
        raise InputError(
            "A saved case is rewritten by a final erasure alone. Got `folder` without it; set finalise=True."
        )
    if pack is not None and not pack.absolute().parent.is_dir():
        raise InputError(
            f"The evidence must be written to a folder that is there. Got {str(pack)!r}; make its folder first."
        )
    return place, pack


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _removed(case: Case, asked: RequestedRows, method: str, *, attacks: bool, progress: Progress | None) -> Erasure:
    """Return the erasure so far: the removal and its proof, nothing written."""
    leaving = asked.train & case.retained
    result = proof = None
    if leaving.any():
        result = unlearn(case, case.record_ids[leaving], method=method, progress=part_of(progress, 0.0, 0.4))
        proof = verify(result, attacks=attacks, progress=part_of(progress, 0.4, 0.9))
    return Erasure(
        asked.by,
        asked.found,
        asked.not_found,
        int(leaving.sum()),
        int((asked.train & ~case.retained).sum()),
        int(asked.test.sum()),
        case if result is None else result.case,
        result,
        proof,
        finalised=False,
        n_dropped=0,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _written(case: Case, done: Erasure, where: _Writing, asked: RequestedRows) -> Erasure:
    """Write the removal down, delete the rows, then write down that this was done."""
    ledger = where.ledger
    actor, reason = where.actor, where.reason
    if ledger is not None and done.result is not None:
        done = replace(done, entries=(ledger.append(done.result, proof=done.proof, actor=actor, reason=reason),))
    if where.folder is not None:
        rewrite_case(case, done.case, where.folder)
        done = replace(done, folder=where.folder)
    if ledger is None:
        return done
    try:  # the rows are gone: what cannot be written now must not look as if they were not
        entry = ledger.append_event("erasure", _facts(case, done, ledger, asked), actor=actor, reason=reason)
        done = replace(done, entries=(*done.entries, entry))
        if where.report is not None:
            about = done.case if done.result is None else done.result.case
            done = replace(done, report=export_evidence(ledger, where.report, case=about))
    except RedressError as error:
        done = replace(done, notes=(*done.notes, f"Not all of it was written down: {error}"))
    return done


def _facts(case: Case, done: Erasure, ledger: Ledger, asked: RequestedRows) -> dict[str, Any]:
    after = case if done.result is None else done.result.case
    return {
        "case": {"data": case.data_digest, "before": case.key, "after": done.case.key, "unlearned": after.key},
        "asked": {
            "by": done.by,
            "n_found": len(done.found),
            "n_not_found": len(done.not_found),
            "hashes": ledger.keys.hidden(done.found, done.by),
            "hashes_of_rows": ledger.keys.hidden(case.record_ids[asked.train]),
        },
        "removed": {"n": done.n_records, "n_earlier": done.n_removed_before, "n_test_rows": done.n_test_rows},
        "finalised": done.finalised,
        "rows_dropped": done.n_dropped,
        "statement": done.said(written=True),
    }
