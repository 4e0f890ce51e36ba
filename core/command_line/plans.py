"""The command that plans removals."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

import core
from core.command_line.commands import Output, feature_asked, written_feature
from core.command_line.render import aligned, decimal, value_with_interval
from core.command_line.terminal import BadArgumentError, plain
from core.json_values import rows_for_json, value_for_json
from core.words import where_said


def plan_command(args: Namespace) -> Output:
    """Plan a removal that brings a metric to a target."""
    case = core.load_case(args.case)
    cost = {"false_positive": args.cost_false_positive, "false_negative": args.cost_false_negative}
    if args.utility != "cost" and set(cost.values()) != {None}:
        raise BadArgumentError(
            "Costs of errors need --utility cost. Got costs with another utility; leave one of them out."
        )
    found = core.plan_removal(
        case,
        args.metric,
        target=args.target,
        utility=args.utility,
        max_utility_drop=args.max_utility_drop,
        max_records=args.max_records,
        sensitive_feature=feature_asked(args.sensitive_feature),
        max_group_share=args.max_group_share,
        cost=cost if args.utility == "cost" and None not in cost.values() else None,
        n_random=args.random,
        expected=not args.quick,
        on=args.on,
        where=args.where,
    )
    parts = [
        plain(found.reason),
        f"The way there, on {args.on}{plain(where_said(found.before.where))}\n" + _path_table(found),
    ]
    if len(found.random):
        parts.append("Random removals of as many records\n" + _random_table(found))
    data = {
        "case": args.case,
        "metric": found.metric,
        "sensitive_feature": written_feature(found.sensitive_feature),
        "target": found.target,
        "utility": found.utility,
        "on": args.on,
        "where": args.where,
        "reached": found.reached,
        "reached_on_searched": found.reached_on_searched,
        "expected": None if found.expected is None else asdict(found.expected),
        "reason": found.reason,
        "forget": value_for_json(found.forget),
        "path": rows_for_json(found.path),
        "random": rows_for_json(found.random),
    }
    return Output("\n\n".join(parts), data)


def _path_table(found: core.Plan) -> str:
    rows = [
        [
            f"{int(row['n_removed']):,}",
            decimal(row["predicted"]),
            decimal(row["value"]),
            value_with_interval(row["change"], row["low"], row["high"]),
            decimal(row["utility"]),
            f"{row['largest_group_share']:.1%}",
            row["method"],
        ]
        for row in found.path.to_dict("records")
    ]
    headers = ["removed", "predicted", found.metric, "change", found.utility, "largest share of a group", "by"]
    return aligned(headers, rows)


def _random_table(found: core.Plan) -> str:
    rows = [
        [
            f"{int(row['n_removed']):,}",
            value_with_interval(row["metric"], row["metric_low"], row["metric_high"]),
            value_with_interval(row["utility"], row["utility_low"], row["utility_high"]),
        ]
        for row in found.random.reset_index().to_dict("records")
    ]
    return aligned(["removed", found.metric, found.utility], rows)
