"""The commands that write evidence and check it."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

import core
from core.command_line.terminal import BROKEN, BadArgumentError, Output, plain

if TYPE_CHECKING:
    from core.ledger.entries import Entry
    from core.ledger.integrity import IntegrityCheck
    from core.ledger.replay import Replay


def evidence_command(args: Namespace) -> Output:
    """Write a ledger's evidence to one file."""
    ledger = core.Ledger(args.ledger, keys=args.keys)
    case = None if args.case is None else core.load_case(args.case)
    path = core.export_evidence(ledger, args.out, case=case)
    data = {"evidence": str(path), "n_entries": len(ledger), "fingerprint": ledger.fingerprint}
    text = (
        f"Written to {plain(path)}: {len(ledger):,} {'entry' if len(ledger) == 1 else 'entries'}, signed by\n{ledger.fingerprint}\n"
        "Give this fingerprint to whoever is to verify it, by another way than the file."
    )
    return Output(text, data)


def verify_evidence_command(args: Namespace) -> Output:
    """Check an evidence pack, and do again what it says where the case is given."""
    check = core.verify_evidence(args.pack, args.fingerprint)
    replay = None
    if args.replay is not None and check:
        replay = core.replay_evidence(args.pack, core.load_case(args.replay), keys=args.keys)
    parts = [repr(check)] if replay is None else [repr(check), repr(replay)]
    fine = bool(check) and (replay is None or bool(replay))
    return Output("\n\n".join(parts), _data(args.pack, check, replay), 0 if fine else BROKEN)


def _data(pack: str, check: IntegrityCheck, replay: Replay | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "evidence": pack,
        "status": check.status,
        "broken": list(check.broken),
        "n_entries": check.n_entries,
        "fingerprint": check.fingerprint,
    }
    if replay is not None:
        data["replay"] = {
            "same": bool(replay),
            "replayed": list(replay.replayed),
            "n_figures": replay.n_figures,
            "faults": list(replay.faults),
            "notes": list(replay.notes),
        }
    return data


def ledger_asked(args: Namespace) -> core.Ledger | None:
    """Return the ledger to write a removal down in; None where none is named.

    It is checked before anything is removed.
    """
    if args.ledger is None:
        given = [name for name in ("actor", "reason", "keys") if getattr(args, name) is not None]
        if given:
            raise BadArgumentError(
                f"--{given[0]} must come with --ledger. Got it alone; name the ledger, as sqlite:///redress.db."
            )
        return None
    missing = [name for name in ("actor", "reason") if not (getattr(args, name) or "").strip()]
    if missing:
        raise BadArgumentError(
            f"--ledger must come with --actor and --reason. --{missing[0]} is missing; say who removes, and why."
        )
    return core.Ledger(args.ledger, keys=args.keys)


def written_down(ledger: core.Ledger, result: core.UnlearnResult, args: Namespace) -> Entry:
    """Write a removal down as it was asked for on the command line."""
    from core.command_line.commands import feature_asked

    return ledger.append(
        result,
        actor=args.actor,
        reason=args.reason,
        on=args.on,
        metric=args.metric,
        sensitive_feature=feature_asked(args.sensitive_feature),
    )
