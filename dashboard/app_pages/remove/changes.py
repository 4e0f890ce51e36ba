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
    """Return a comparison as the pages show it, gaps first; with what was predicted, where that is known."""
    names = ["before", "after", "change", "low", "high", "reversed"]
    if predicted is not None:
        table = table.assign(predicted=predicted["after"])
        names.insert(1, "predicted")
    table = table.assign(reversed=turned(table))
    gaps = [METRICS[name].compares_groups for name, _ in table.index]
    ordered = pd.concat([table[gaps], table[[not gap for gap in gaps]]])
    shown = ordered[names].reset_index()
    shown.index = pd.Index([meaning.label(name, roles) for name in shown["metric"]], name="what")
    return shown.drop(columns=["metric", "sensitive_feature"])


def columns(words: tuple[str, str, str]) -> dict[str, Any]:
    """Return the column settings for the words before, after and how it was found."""
    before, after, how = words
    config = st.column_config
    return {
        "what": config.TextColumn(
            "what",
            help="Gaps are between the groups of the sensitive feature chosen on the strip; rates are over all rows explored.",
        ),
        "before": config.NumberColumn(before, help="On the test rows explored.", format="%.3f"),
        "predicted": config.NumberColumn("predicted", help="Before it was removed.", format="%.3f"),
        "after": config.NumberColumn(after, help=how, format="%.3f"),
        "change": config.NumberColumn("change", help=f"{after.capitalize()} less {before}.", format="%+.3f"),
        "reversed": config.CheckboxColumn(
            "reversed", help="The groups change places: the one worse off becomes the better off."
        ),
        "low": config.NumberColumn("from", help="Lower end of the paired 95% interval of the change.", format="%+.3f"),
        "high": config.NumberColumn("to", help="Upper end of the paired 95% interval of the change.", format="%+.3f"),
    }
