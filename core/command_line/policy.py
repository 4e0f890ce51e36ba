"""The command that holds a case against a policy profile."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pandas as pd

import core
from core.command_line.commands import feature_of, with_notes
from core.command_line.render import aligned, decimal
from core.command_line.terminal import Output, plain
from core.json_values import rows_for_json


def policy_command(args: Namespace) -> Output:
    """Hold a case against a policy profile, or print the profile."""
    profile = core.policy_profile(args.profile)
    if args.toml:
        return Output(profile.text.rstrip(), {"profile": profile.name, "toml": profile.text})
    names = args.sensitive_feature
    found = core.apply_policy(
        core.load_case(args.case),
        profile,
        sensitive_feature=None if not names else [feature_of(name) for name in names],
        on=args.on,
        where=args.where,
    )
    parts = [plain(f"{found.heading}. {profile.about}".strip())]
    parts += [f"{plain(one.sentence)}\n{_table(one.table)}" for one in found]
    parts.append("A profile is a convention to look by; no mark says what is allowed.")
    data = {
        "case": args.case,
        "profile": profile.name,
        "date": profile.date.isoformat(),
        "source": profile.source,
        "on": found.on,
        "where": found.where or None,
        "n": found.n,
        "tables": [
            {
                "rule": one.rule.title,
                "sensitive_feature": one.sensitive_feature,
                "sentence": one.sentence,
                "rows": rows_for_json(one.table),
            }
            for one in found
        ],
        "notes": list(found.notes),
    }
    return Output(with_notes(parts, found.notes), data)


def _table(table: pd.DataFrame) -> str:
    rows = [
        [str(group), *(_cell(name, value) for name, value in row.items())]
        for group, row in zip(table.index, table.to_dict("records"), strict=True)
    ]
    return aligned(["group", *(str(name).replace("_", " ") for name in table.columns)], rows)


def _cell(name: object, value: object) -> str:
    if name in ("n", "hits"):
        return decimal(value, 0)
    return decimal(value) if isinstance(value, float | np.floating) else str(value)
