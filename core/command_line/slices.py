"""The command that finds the worst slices of the test rows."""

from __future__ import annotations

from argparse import Namespace

import core
from core.command_line.commands import feature_asked, with_notes, written_feature
from core.command_line.render import decimal, value_with_interval, wrapped
from core.command_line.terminal import Output, plain
from core.json_values import rows_for_json, value_for_json


def slices_command(args: Namespace) -> Output:
    """Find the slices of the test rows in which a metric is worst."""
    case = core.load_case(args.case)
    found = core.worst_slices(
        case,
        args.metric,
        sensitive_feature=feature_asked(args.sensitive_feature),
        on=args.on,
        where=args.where,
        max_predicates=args.max_predicates,
        min_support=args.min_support,
        top_k=args.top,
        bins=args.bins,
    )
    parts = [plain(f"{found.heading}.")]
    if not found.n_beyond:
        parts.append("No slice is worse than the other rows beyond chance.")
    if len(found):
        parts.append(_table(found))
        parts.append(
            "rest: in the other rows. q: corrected for all slices tried (Benjamini & Hochberg). A slice is a condition that --where takes."
        )
    parts.append("Tree\n" + "\n".join(map(plain, found.tree_lines)))
    feature = found.sensitive_feature
    data = {
        "case": args.case,
        "metric": found.metric,
        "sensitive_feature": None if feature is None else written_feature(feature),
        "on": found.on,
        "where": args.where,
        "value": value_for_json(found.value),
        "n_rows": found.n_rows,
        "n_tried": found.n_tried,
        "n_beyond": found.n_beyond,
        "slices": rows_for_json(found.to_frame()),
        "tree": [
            {"depth": depth, "where": node.slice.where, "split_on": node.split_on, "others": node.others}
            | {name: value_for_json(getattr(node.slice, name)) for name in ("n", "value", "q_value")}
            for depth, node in found.tree.walk()
        ],
        "notes": list(found.notes),
    }
    return Output(with_notes(parts, found.notes), data)


def _table(found: core.WorstSlices) -> str:
    gap = found.sensitive_feature is not None
    rows = [
        [
            one.slice,
            f"{one.n:,}",
            value_with_interval(one.value, one.low, one.high),
            decimal(one.rest),
            decimal(one.q_value),
            *([f"{one.worst_group}, {one.best_group}"] if gap else []),
            "" if one.beyond_chance else "may be chance",
        ]
        for one in found
    ]
    return wrapped(
        ["slice", "n", "value", "rest", "q", *(["worst, best"] if gap else []), "remark"],
        rows,
        [0, 5, 6][: 3 if gap else 2],
    )
