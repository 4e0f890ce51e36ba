"""How numbers look in tables: formula in the header's help, n in its own column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

import core
from core.files.tables.read import safe_for_csv
from core.metrics import METRICS
from core.words import number, percent, signed
from dashboard import meaning
from dashboard.session import Key


def rate_table(rates: Iterable[str], roles: core.Roles) -> dict[str, Any]:
    """Return the column settings of a table of group rates.

    Each is called what it is in a case of these roles.
    """
    settings: dict[str, Any] = {
        "n": st.column_config.NumberColumn("n", help="Test rows in this group.", format="localized"),
        "insufficient": st.column_config.CheckboxColumn(
            "too small", help="An interval is wider than plus or minus 0.1."
        ),
        "n_needed": st.column_config.NumberColumn(
            "n needed", help="Rows that would settle every rate to plus or minus 0.1.", format="localized"
        ),
    }
    for rate in rates:
        for part in ("n_needed", "hits", "of", "of_needed"):
            settings[f"{rate}_{part}"] = None  # Not shown; in the download.
        name = meaning.of_rate(rate, roles)
        settings[rate] = st.column_config.NumberColumn(
            name, help=f"{METRICS[rate].label}: {METRICS[rate].formula}", format="%.3f"
        )
        settings[f"{rate}_low"] = st.column_config.NumberColumn(
            "from", help=f"Lower end of the 95% interval of {name}.", format="%.3f"
        )
        settings[f"{rate}_high"] = st.column_config.NumberColumn(
            "to", help=f"Upper end of the 95% interval of {name}.", format="%.3f"
        )
        settings[f"{rate}_counts"] = st.column_config.TextColumn(
            "counts", help=f"The rows that {name} is a share of, and how many of them count."
        )
    return settings


def with_counts(table: pd.DataFrame, rates: Iterable[str]) -> pd.DataFrame:
    """Return a table of group rates with the counts of every share beside it: "55 of 64".

    Examples
    --------
    >>> rates = pd.DataFrame({"recall": [0.86], "recall_low": [0.7], "recall_high": [0.9], "recall_hits": [55.0], "recall_of": [64.0]})
    >>> with_counts(rates, ["recall"])["recall_counts"].tolist()
    ['55 of 64']
    """
    found = table.copy()
    for rate in rates:
        if f"{rate}_of" not in table:
            continue
        pairs = zip(table[f"{rate}_hits"], table[f"{rate}_of"], strict=True)
        found.insert(
            list(found.columns).index(rate) + 1, f"{rate}_counts", [f"{hits:,.0f} of {of:,.0f}" for hits, of in pairs]
        )
    return found


def worded(table: pd.DataFrame, settings: dict[str, Any]) -> dict[str, Any]:
    """Return `st.dataframe`'s data and column settings, numbers written as on all pages.

    That holds for shares and changes.

    The browser writes a share with up to two digits, each as many as it has, and a change that rounds to nothing as +0.000 or -0.000.
    """
    styled, left = table.style, dict(settings)
    for name, column in settings.items():
        form = str((column or {}).get("type_config", {}).get("format"))
        if name not in table or not (form == "percent" or re.fullmatch(r"%\+?\.\d+f", form)):
            continue
        styled = styled.format(partial(_written, form), subset=[name])
        left[name] = {**column, "type_config": {**column["type_config"], "format": None}}
    return {"data": styled, "column_config": left}


def _written(form: str, value: Any) -> str:
    if pd.isna(value):
        return ""
    if form == "percent":
        return percent(value)
    digits = int(form[-2])
    return signed(value, digits) if "+" in form else number(value, digits)


def download(table: pd.DataFrame, name: str) -> None:
    """Offer a table as a CSV file in which no cell starts a spreadsheet formula."""
    st.download_button(
        "Download as CSV",
        lambda: safe_for_csv(table).to_csv().encode(),
        f"{name}.csv",
        "text/csv",
        type="tertiary",
        icon=":material/download:",
        key=f"{Key.DOWNLOAD}_{name}",
        on_click="ignore",
    )
