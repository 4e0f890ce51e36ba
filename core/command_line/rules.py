"""The command that explains a gap by rules."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import core
from core.command_line.commands import Output, feature_asked, feature_name
from core.command_line.render import aligned, interval, number, plain, records, value_for_json


def explain(args: Namespace) -> Output:
    """Find rules whose records cause a gap, each confirmed by removing them."""
    case = core.load_case(args.case)
    found = core.explain_gap(
        case,
        args.metric,
        feature_asked(args.sensitive_feature),
        args.max_predicates,
        args.min_support,
        args.max_support,
        args.top,
        on=args.on,
        bins=args.bins,
        q=args.q,
        seconds=args.seconds,
    )
    name = feature_name(found.sensitive_feature)
    head = (
        f"{found.metric} of {plain(name)} on {args.on}: {number(found.gap)} (p = {number(found.gap_p_value)}). {found.n_tried:,} rules "
        f"tried, {found.n_discoveries:,} beyond chance at a false discovery rate of {found.q:.0%}."
    )
    parts = [head]
    if len(found):
        parts.append(_table(found))
        if any(one.reversed for one in found):
            parts.append(
                "* The two groups change places: verified is the change of the signed difference, not after less before."
            )
        parts += ["\n".join(f"{rank}. {plain(one.sentence)}" for rank, one in enumerate(found, 1))]
    else:
        parts.append("No rule narrows the gap once its records are removed.")
    if found.notes:
        parts.append("Notes\n" + "\n".join(f"- {plain(note)}" for note in found.notes))
    return Output("\n\n".join(parts), {"case": args.case, "on": args.on} | _data(found))


def _data(found: core.Explanation) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "sensitive_feature": feature_name(found.sensitive_feature),
        "gap": found.gap,
        "gap_p_value": found.gap_p_value,
        "n_tried": found.n_tried,
        "n_discoveries": found.n_discoveries,
        "q": found.q,
        "rules": [
            row
            | {
                "sentence": one.sentence,
                "forget": value_for_json(one.forget),
                "make_up": records(one.make_up),
                "guarantee": one.guarantee,
            }
            for row, one in zip(records(found.table), found, strict=True)
        ],
        "notes": list(found.notes),
    }


def _table(found: core.Explanation) -> str:
    rows = [
        [
            plain(one.rule),
            f"{one.n_records:,}",
            f"{one.support:.1%}",
            number(one.predicted),
            interval(one.change, one.low, one.high) + (" *" if one.reversed else ""),
            number(one.q_value),
            "beyond chance" if one.survives else "may be chance",
        ]
        for one in found
    ]
    return aligned(["rule", "records", "support", "predicted", "verified", "q", "evidence"], rows)
