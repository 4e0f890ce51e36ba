"""The commands: each takes parsed arguments and returns text to print and data for JSON."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

import core
from core.command_line.evidence import ledger_asked, written_down
from core.command_line.ids import amount, ids_from_list
from core.command_line.render import DIGITS, aligned, decimal, value_with_interval
from core.command_line.terminal import BadArgumentError, plain
from core.command_line.terminal import Output as Output
from core.files.tables.id_spelling import match_ids
from core.json_values import rows_for_json, value_for_json
from core.metrics.compare import turned
from core.metrics.guardrails import judge
from core.words import where_said


def influence_command(args: Namespace) -> Output:
    """Rank training records by what removing each would do to a metric."""
    case = core.load_case(args.case).only(args.where)
    feature = feature_asked(args.sensitive_feature)
    effects = core.influence(case, args.metric, sensitive_feature=feature, on=args.on, rescore=args.rescore)
    order = core.harmful(effects)[: amount(args.top, len(effects))]
    rescored = set(effects.attrs.get("rescored", ()))
    name = written_feature(case.sensitive_feature(feature))
    better = core.METRICS[args.metric].better
    head = (
        f"Change of {args.metric} of {plain(name)} on {args.on}{plain(where_said(case.where))} if a record is removed; {better} is better. "
        f"The {len(order):,} most harmful of {len(effects):,}:"
    )
    how = ["really removed" if one in rescored else "predicted" for one in order]
    rows = [[str(one), f"{effects.loc[one]:+.3e}", told] for one, told in zip(order, how, strict=True)]
    data = {
        "case": args.case,
        "metric": args.metric,
        "sensitive_feature": value_for_json(name),
        "on": args.on,
        "where": args.where,
        "better": better,
        "n_records": len(effects),
        "most_harmful": [
            {"id": value_for_json(one), "change": value_for_json(effects.loc[one]), "rescored": one in rescored}
            for one in order
        ],
    }
    return Output(f"{head}\n\n{aligned([str(effects.index.name or 'record'), 'change', 'how'], rows)}", data)


def unlearn_command(args: Namespace) -> Output:
    """Remove records from the model and compare before and after."""
    case = core.load_case(args.case)
    if args.save is not None and (Path(args.save) / "case.toml").exists():
        raise BadArgumentError(
            f"--save must not write over a case. Got {args.save!r}, which holds one; choose another folder."
        )
    ledger = ledger_asked(args)
    forget, about_list = _forget(case, args)
    result = core.unlearn(case, forget, by=args.by, method=args.method, tolerance=args.tolerance)
    now, then = case.only(args.where), result.case.only(args.where)
    judged = judge(now, then, args.metric, case.sensitive_feature(feature_asked(args.sensitive_feature)), args.on)
    shift = judged.table if args.sensitive_feature is None else judged.by(feature_of(args.sensitive_feature))
    saved = str(result.case.save(args.save)) if args.save is not None else None
    entry = written_down(ledger, result, args) if ledger is not None else None
    ids = case.record_ids[case.retained & ~result.case.retained]
    parts = [_facts(result), f"Before and after, on {args.on}{plain(where_said(now.where))}\n" + _shift_table(shift)]
    if turned(shift, DIGITS).any():
        parts.append("* The two groups changed places.")
    parts.append(plain(judged.side.sentence if judged.side else f"No verdict: {judged.why}"))
    if saved is not None:
        parts.append(f"Saved to {plain(saved)}")
    if entry is not None:
        parts.append(f"Written down as entry {entry.number} of the ledger.")
    data = {
        "case": args.case,
        "method": result.method,
        "guarantee": result.guarantee.value,
        "claim": result.claim,
        "bound": value_for_json(result.bound),
        "relative_bound": value_for_json(result.relative_bound),
        "seconds": result.seconds,
        "seconds_prepare": result.seconds_prepare,
        "n_forgotten": result.n_forgotten,
        "forgotten": value_for_json(ids),
        "on": args.on,
        "where": args.where,
        "comparison": rows_for_json(shift),
        "guardrails": _side(judged.side),
        "notes": [*about_list, *result.notes],
        "saved": saved,
        "entry": None if entry is None else {"number": entry.number, "hash": entry.hash},
    }
    return Output(with_notes(parts, [*about_list, *result.notes]), data)


def provenance_command(args: Namespace) -> Output:
    """Say whether the training table is what the model was trained on."""
    verdict = core.check_provenance(core.load_case(args.case))
    data = {"case": args.case, **asdict(verdict)}
    return Output(f"{verdict.status}: {plain(verdict.evidence)}", data)


def _facts(result: core.UnlearnResult) -> str:
    bound = "none"
    if result.bound is not None:
        bound = f"coefficients and intercept within {result.bound:.3e}"
        bound += "" if result.relative_bound is None else f", {result.relative_bound:.3e} of their norm"
    facts = {
        "records removed": f"{result.n_forgotten:,} of {result.before.n_retained:,}",
        "method": result.method,
        "guarantee": f"{result.claim}: {result.meaning}",
        "bound": bound,
        "seconds": f"{decimal(result.seconds)}, {decimal(result.seconds_prepare)} of them to prepare the case",
    }
    return "\n".join(f"{name:<16} {value}" for name, value in facts.items())


def _forget(case: core.Case, args: Namespace) -> tuple[list[Any], list[str]]:
    """Return the ids to forget, and what to say about a list of them."""
    if args.most_harmful is not None:
        if args.by != "record":
            raise BadArgumentError("--most-harmful ranks records. Got --by subject with it; leave one of the two out.")
        effects = core.influence(case, args.metric, sensitive_feature=feature_asked(args.sensitive_feature))
        return list(core.harmful(effects)[: amount(args.most_harmful, len(effects))]), []
    if args.ids is not None:
        known = case.record_ids if args.by == "record" or case.subject_ids is None else case.subject_ids
        return match_ids(ids_from_list(args.ids), known), []
    ids = core.read_ids(case, args.forget, by=args.by)
    repeats = [note for note in ids.notes if "more than once" in note]
    return [*ids.found, *ids.unknown, *ids.forgotten], repeats


def _side(side: core.Guardrails | None) -> dict[str, Any] | None:
    """Return what the guardrails found, for programs."""
    if side is None:
        return None
    return {
        "verdict": side.verdict,
        "sentence": side.sentence,
        "metric": side.metric,
        "sensitive_feature": side.sensitive_feature,
        "worse": rows_for_json(side.worse),
        "better": rows_for_json(side.better),
        "people": rows_for_json(side.people),
        "counts": rows_for_json(side.counts),
        "removed": rows_for_json(side.removed),
    }


def feature_asked(name: str | None) -> str | tuple[str, ...] | None:
    """Return the sensitive feature that an argument names; None where it names none."""
    return None if name is None else feature_of(name)


def feature_of(name: str) -> str | tuple[str, ...]:
    """Return the sensitive feature that is written so; "sex & race" is an intersection."""
    parts = tuple(part.strip() for part in name.split("&"))
    return parts if len(parts) > 1 else name


def written_feature(feature: str | tuple[str, ...]) -> str:
    """Return how a sensitive feature is written."""
    return feature if isinstance(feature, str) else " & ".join(feature)


def _shift_table(shift: pd.DataFrame) -> str:
    rows = [
        [
            str(row["metric"]),
            str(row["sensitive_feature"]),
            decimal(row["before"]),
            decimal(row["after"]) + (" *" if over else ""),
            value_with_interval(row["change"], row["low"], row["high"]),
            decimal(row["p_value"]),
            _ahead(row["ahead_before"], row["ahead_after"]),
        ]
        for row, over in zip(shift.reset_index().to_dict("records"), turned(shift, DIGITS), strict=True)
    ]
    return aligned(["metric", "sensitive feature", "before", "after", "change", "p", "better off"], rows, keys=2)


def _ahead(before: Any, after: Any) -> str:
    """Return the group better off, and the one after where that is another.

    Empty where nothing compares groups.
    """
    names = ["nobody" if pd.isna(name) else str(name) for name in (before, after)]
    if names == ["nobody", "nobody"]:
        return ""
    return names[0] if names[0] == names[1] else f"{names[0]}, then {names[1]}"


def with_notes(parts: Sequence[str], notes: Sequence[str]) -> str:
    """Return the parts of a finding as text, the notes below."""
    shown = ["Notes\n" + "\n".join(f"- {plain(note)}" for note in notes)] if notes else []
    return "\n\n".join([*parts, *shown])
