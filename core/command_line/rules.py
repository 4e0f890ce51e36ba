"""The command that explains a gap by rules."""

from __future__ import annotations

import shutil
import textwrap
from argparse import Namespace
from typing import Any

import numpy as np

import core
from core.command_line.commands import Output, feature_asked, written_feature
from core.command_line.render import decimal, wrapped
from core.command_line.terminal import plain
from core.json_values import rows_for_json, value_for_json
from core.metrics.catalog import metric_of
from core.words import where_said


def explain_command(args: Namespace) -> Output:
    """Find rules whose records cause a gap, each measured by removing them."""
    case = core.load_case(args.case)
    found = core.explain_gap(
        case,
        args.metric,
        sensitive_feature=feature_asked(args.sensitive_feature),
        max_predicates=args.max_predicates,
        min_support=args.min_support,
        max_support=args.max_support,
        top_k=args.top,
        on=args.on,
        where=args.where,
        bins=args.bins,
        min_responsibility=args.min_responsibility,
        seconds=args.seconds,
        expected=not args.quick,
    )
    name = written_feature(found.sensitive_feature)
    head = (
        f"{found.metric} of {plain(name)} on {args.on}{plain(where_said(found.where))}: {decimal(found.gap)} ({plain(found.tested_words)}). "
        f"{found.n_tried:,} rules tried."
    )
    parts = [head]
    if len(found) and found.searched_again and not found.helping:
        parts.append("None of these rules is expected to help on rows that were not searched.")
    if len(found):
        parts.append(_table(found))
        parts.append(_legend(found))
        parts += [
            "\n".join(f"{rank}. {plain(f'{one.sentence} {one.claim}'.strip())}" for rank, one in enumerate(found, 1))
        ]
    else:
        parts.append("No rule closes its share of the gap once its records are removed.")
    if found.notes:
        parts.append("Notes\n" + "\n".join(f"- {plain(note)}" for note in found.notes))
    return Output("\n\n".join(parts), {"case": args.case, "on": args.on, "where": args.where} | _data(found))


def _legend(found: core.Explanation) -> str:
    words = metric_of(found.metric).words
    parts = [
        f"predicted, measured: change of the {words} without the records, after less before, whoever is better off, on the rows searched."
    ]
    if found.searched_again:
        parts.append(
            "expected: by how much the gap is expected to close on other rows; with a question mark where these rows cannot tell."
        )
    if any(one.turned for one in found):
        parts.append(
            "overshoots: without the records the groups change places; the sentence below has the signed change and its interval."
        )
    if any(one.levels_down for one in found):
        parts.append("levels down: mostly because the better-off fare worse.")
    return "\n".join(textwrap.fill(part, shutil.get_terminal_size((120, 24)).columns) for part in parts)


def _data(found: core.Explanation) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "sensitive_feature": written_feature(found.sensitive_feature),
        "gap": found.gap,
        "gap_p_value": found.gap_p_value,
        "tested": found.tested._asdict(),
        "n_tried": found.n_tried,
        "n_left_out": found.n_left_out,
        "min_responsibility": found.min_responsibility,
        "rules": [
            row
            | {
                "sentence": one.sentence,
                "claim": one.claim,
                "beside_a_preview": one.beside_a_preview,
                "forget": value_for_json(one.forget),
                "make_up": rows_for_json(one.make_up),
                "guarantee": one.guarantee,
            }
            for row, one in zip(rows_for_json(found.table), found, strict=True)
        ],
        "notes": list(found.notes),
    }


def _table(found: core.Explanation) -> str:
    rows = [
        [
            one.rule,
            f"{one.n_records:,}",
            f"{one.predicted:+.4f}" if np.isfinite(one.predicted) else "-",
            f"{one.verified:+.4f}",
            _expected(one),
            ", ".join(one.remarks),
        ]
        for one in found
    ]
    return wrapped(["rule", "records", "predicted", "measured", "expected", "remark"], rows, [0, 5])


def _expected(one: core.Subset) -> str:
    if one.expected is None:
        return "-"
    return f"{one.expected.gain:.4f}{'' if one.helps else '?'}"
