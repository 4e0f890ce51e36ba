"""The command that carries out erasure requests."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import core
from core.command_line.evidence import ledger_asked
from core.command_line.terminal import BROKEN, BadArgumentError, Output, plain
from core.json_values import value_for_json


def erase_command(args: Namespace) -> Output:
    """Forget whoever is on a list; status 1 where ids are of nobody or the proof fails."""
    folder = Path(args.case)
    if args.finalise and not folder.is_dir():
        raise BadArgumentError(
            f"--finalise must rewrite a folder of yours. Got {args.case!r}, which is none; save the case first."
        )
    ledger = ledger_asked(args)
    case = core.load_case(args.case)
    listed = core.read_ids(case, args.forget, by=args.by)
    done = core.erase(
        case,
        listed,
        by=listed.by,
        finalise=args.finalise,
        actor=args.actor,
        reason=args.reason or "erasure request",
        ledger=ledger,
        report=args.report,
        folder=folder if args.finalise else None,
        method=args.method,
        attacks=args.attacks,
    )
    parts = ["\n".join(map(plain, done.lines()))]
    if not done.finalised and done.proven:
        parts.append("The saved case is as it was. --finalise rewrites it without the rows.")
    if done.entry is not None and ledger is not None:
        parts.append(f"Written down as entry {done.entry.number} of the ledger.")
    if done.report is not None:
        parts.append(f"Evidence written to {plain(done.report)}")
    return Output("\n\n".join(parts), _data(args.case, done), 0 if done else BROKEN)


def _data(case: str, done: core.Erasure) -> dict[str, Any]:
    return {
        "case": case,
        "by": done.by,
        "found": value_for_json(list(done.found)),
        "not_found": value_for_json(list(done.not_found)),
        "n_records": done.n_records,
        "n_removed_before": done.n_removed_before,
        "n_test_rows": done.n_test_rows,
        "method": None if done.result is None else done.result.method,
        "claim": None if done.result is None else done.result.claim,
        "proof": None if done.proof is None else value_for_json(done.proof.to_dict()),
        "finalised": done.finalised,
        "statement": done.statement,
        "entries": [{"number": one.number, "hash": one.hash} for one in done.entries],
        "report": None if done.report is None else str(done.report),
        "complete": done.complete,
        "notes": list(done.notes),
    }
