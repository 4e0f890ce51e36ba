"""The commands that audit: a case, or a table of decisions."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import pandas as pd

import core
from core.command_line.commands import feature_of, with_notes
from core.command_line.render import aligned, decimal, value_with_interval
from core.command_line.terminal import BadArgumentError, Output, plain
from core.json_values import rows_for_json, value_for_json
from core.words import where_said

ALONE = "p and interval are of each gap alone; q is corrected over all gaps of this table (Benjamini & Hochberg)."


def audit_command(args: Namespace) -> Output:
    """Audit a case."""
    case = core.load_case(args.case)
    report = core.audit(case, args.metric, on=args.on, **_asked(args))
    return _output(report, f"{case!r}, audited on {report.on}", {"case": args.case, "on": report.on})


def audit_decisions_command(args: Namespace) -> Output:
    """Audit a table of decisions or scores, without a model."""
    table = core.read_table(args.table).frame
    good = args.favorable
    roles = core.Roles(
        "" if args.target is None else args.target,
        good if args.pos_label is None else args.pos_label,
        good,
        args.sensitive_feature,
        merge=args.merge or (),
        ages_on=_pairs(args.ages_on, "--ages-on must be a column and a day", "born=2024-12-31"),
    )
    if args.target is not None and args.target not in table:
        raise BadArgumentError(
            f"--target must be a column of the table. Got {args.target!r}; leave it out where there are no labels."
        )
    named = dict.fromkeys(("decisions", "scores", "threshold"))
    asked = {name: getattr(args, name) for name in named} | _asked(args) | {"sensitive_feature": None}
    report = core.audit_decisions(table, roles, metric=args.metric, **asked)
    what = f"Decisions of {plain(args.table)}, good is {plain(good)}, audited"
    return _output(report, what, {"table": args.table})


def _asked(args: Namespace) -> dict[str, Any]:
    """Return the options that both audits share."""
    names = args.sensitive_feature
    return {
        "sensitive_feature": None if not names else [feature_of(name) for name in names],
        "where": args.where,
        "sample_weight": args.weight,
        "control_features": args.strata,
        "reference": _reference(args.reference),
        "n_resamples": args.resamples,
        "level": args.level,
        "seed": args.seed,
    }


def _reference(given: Sequence[str] | None) -> dict[str | tuple[str, ...], str] | None:
    """Return the reference group of each feature, from texts such as "sex=male"."""
    pairs = _pairs(given, "--reference must be a feature and its group", "sex=male")
    return None if pairs is None else {feature_of(feature): group for feature, group in pairs.items()}


def _pairs(given: Sequence[str] | None, what: str, such: str) -> dict[str, str] | None:
    """Return texts such as "sex=male" as a dictionary."""
    if given is None:
        return None
    found = {}
    for one in given:
        name, equals, value = (part.strip() for part in one.partition("="))
        if not equals or not name or not value:
            raise BadArgumentError(f"{what}. Got {one!r}; write {such}.")
        found[name] = value
    return found


def _output(report: core.AuditReport, what: str, data: dict[str, Any]) -> Output:
    weighted = (
        f", weighted by {plain(report.sample_weight)}, worth {report.n_effective:,.0f} equal ones"
        if report.sample_weight
        else ""
    )
    parts = [f"{what} ({report.n:,} rows{plain(where_said(report.where))}{weighted}), intervals at {report.level:.0%}"]
    if report.finding is not None:
        parts.append(plain(report.finding.sentence))
    if len(report.gaps):
        parts.append(f"Gaps\n{_gap_table(report.gaps)}\n{ALONE}")
    if report.against is not None:
        parts.append("Against the reference group\n" + _against_table(report.against))
    if report.strata is not None:
        parts.append(f"Gaps with {plain(report.strata.control)} mixed alike\n" + _pooled_table(report.strata.pooled))
        parts.append(f"Gaps within {plain(report.strata.control)}\n" + _strata_table(report.strata.gaps))
    parts += [
        f"By {plain(name)}\n" + _group_table(rows.droplevel(0))
        for name, rows in report.by_group.groupby(level=0, sort=False)
    ]
    overall = [[str(name), decimal(value)] for name, value in report.overall.items()]
    parts.append("Over all rows\n" + aligned(["rate", "value"], overall))
    notes = [*(report.strata.notes if report.strata else ()), *report.notes]
    return Output(with_notes(parts, notes), data | _data(report) | {"notes": notes})


def _data(report: core.AuditReport) -> dict[str, Any]:
    finding, strata = report.finding, report.strata
    return {
        "where": report.where or None,
        "sample_weight": report.sample_weight or None,
        "n": report.n,
        "n_effective": value_for_json(report.n_effective),
        "level": report.level,
        "n_resamples": report.n_resamples,
        "finding": None if finding is None else value_for_json(vars(finding) | {"sentence": finding.sentence}),
        "gaps": rows_for_json(report.gaps),
        "against": None if report.against is None else rows_for_json(report.against),
        "strata": None
        if strata is None
        else {"control": strata.control}
        | {name: rows_for_json(getattr(strata, name)) for name in ("pooled", "gaps", "by_group")},
        "by_group": rows_for_json(report.by_group),
        "overall": value_for_json(report.overall.to_dict()),
    }


def _against_table(against: pd.DataFrame) -> str:
    rows = [
        [
            *(str(row[name]) for name in ("metric", "sensitive_feature", "group")),
            value_with_interval(row["difference"], row["difference_low"], row["difference_high"]),
            value_with_interval(row["ratio"], row["ratio_low"], row["ratio_high"]),
            decimal(row["p_value"]),
            decimal(row["q_value"]),
        ]
        for row in against.reset_index().to_dict("records")
    ]
    return aligned(["metric", "sensitive feature", "group", "difference", "ratio", "p", "q"], rows, keys=3)


def _pooled_table(pooled: pd.DataFrame) -> str:
    rows = [
        [
            str(row["metric"]),
            str(row["sensitive_feature"]),
            decimal(row["over_all"]),
            value_with_interval(row["value"], row["low"], row["high"]),
            decimal(row["p_value"]),
            decimal(row["q_value"]),
            "" if row["stratum"] is None else f"{row['stratum']} ({row['share']:.0%})",
            "reversed" if row["reversed"] else "",
        ]
        for row in pooled.reset_index().to_dict("records")
    ]
    headers = ["metric", "sensitive feature", "over all", "mixed alike", "p", "q", "lives in", ""]
    return aligned(headers, rows, keys=2)


def _strata_table(gaps: pd.DataFrame) -> str:
    rows = [
        [
            *(str(row[name]) for name in ("metric", "sensitive_feature", "stratum")),
            f"{row['n']:,}",
            value_with_interval(row["value"], row["low"], row["high"]),
            decimal(row["q_value"]),
            str(row["worst_group"]),
            str(row["best_group"]),
        ]
        for row in gaps.reset_index().to_dict("records")
    ]
    headers = ["metric", "sensitive feature", "stratum", "n", "value", "q", "worst group", "best group"]
    return aligned(headers, rows, keys=3)


def _gap_table(gaps: pd.DataFrame) -> str:
    headers = ["metric", "sensitive feature", "value", "p", "q", "worst group", "n", "best group", "evidence"]
    rows = [
        [
            str(row["metric"]),
            str(row["sensitive_feature"]),
            value_with_interval(row["value"], row["low"], row["high"]),
            decimal(row["p_value"]),
            decimal(row["q_value"]),
            str(row["worst_group"]),
            decimal(row["n_worst"], 0),
            str(row["best_group"]),
            "insufficient" if row["insufficient"] else "",
        ]
        for row in gaps.reset_index().to_dict("records")
    ]
    return aligned(headers, rows, keys=2)


def _group_table(groups: pd.DataFrame) -> str:
    rates = [str(name) for name in groups.columns if f"{name}_low" in groups.columns]
    rows = [
        [
            str(name),
            f"{int(row['n']):,}",
            f"insufficient, needs {row['n_needed']:,.0f}" if row["insufficient"] else "",
            *(value_with_interval(row[rate], row[f"{rate}_low"], row[f"{rate}_high"]) for rate in rates),
        ]
        for name, row in groups.iterrows()
    ]
    return aligned(["group", "n", "evidence", *rates], rows, keys=2)
