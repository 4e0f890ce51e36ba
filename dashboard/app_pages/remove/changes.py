"""The table of what a removal changes, predicted or done."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

import core
from core.metrics import METRICS
from core.metrics.compare import turned
from dashboard import meaning


def readable(table: pd.DataFrame, roles: core.Roles, predicted: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a comparison as the pages show it, gaps first.

    With what was predicted, where that is known.
    """
    names = ["before", "after", "change", "low", "high", "direction", "ahead"]
    if predicted is not None:
        table = table.assign(predicted=predicted["after"])
        names.insert(1, "predicted")
    table = table.assign(ahead=ahead(table))
    gaps = [METRICS[name].compares_groups for name, _ in table.index]
    ordered = pd.concat([table[gaps], table[[not gap for gap in gaps]]])
    shown = ordered[names].reset_index()
    shown.index = pd.Index([meaning.label(name, roles) for name in shown["metric"]], name="what")
    return shown.drop(columns=["metric", "sensitive_feature"])


def ahead(table: pd.DataFrame) -> list[str]:
    """Return who is better off by each gap of a comparison.

    Where groups change places, who was and who is.
    """
    groups = zip(turned(table), table["ahead_before"], table["ahead_after"], strict=True)
    return [
        "" if pd.isna(before) else f"{before}, then {after}" if over else str(before) for over, before, after in groups
    ]


def columns(words: tuple[str, str, str]) -> dict[str, Any]:
    """Return the column settings for the words before, after and how it was found."""
    before, after, how = words
    config = st.column_config
    return {
        "what": config.TextColumn(
            "what",
            help="Gaps are between the groups of the sensitive feature chosen on the strip; rates are over all rows searched.",
        ),
        "before": config.NumberColumn(before, help="On the test rows searched.", format="%.3f"),
        "predicted": config.NumberColumn("predicted", help="Before it was removed.", format="%.3f"),
        "after": config.NumberColumn(after, help=how, format="%.3f"),
        "change": config.NumberColumn(
            "change",
            help=f"{after.capitalize()} less {before}; of a gap, how much larger or smaller it is.",
            format="%+.3f",
        ),
        "direction": config.TextColumn(
            "is", help="Better or worse; it may be chance where the interval of the change holds 0."
        ),
        "ahead": config.TextColumn(
            "better off", help="The group better off; where the groups change places, the one before and the one after."
        ),
        "low": config.NumberColumn("from", help="Lower end of the paired 95% interval of the change.", format="%+.3f"),
        "high": config.NumberColumn("to", help="Upper end of the paired 95% interval of the change.", format="%+.3f"),
    }
