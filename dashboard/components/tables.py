"""How numbers look in tables: formula in the header's help, n in its own column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from core.metrics import METRICS


def rate_table(rates: Iterable[str]) -> dict[str, Any]:
    """Return the column settings of a table of group rates."""
    settings: dict[str, Any] = {
        "n": st.column_config.NumberColumn("n", help="Test rows explored in this group.", format="localized"),
        "insufficient": st.column_config.CheckboxColumn(
            "too small", help="An interval is wider than plus or minus 0.1."
        ),
        "n_needed": st.column_config.NumberColumn(
            "n needed", help="Rows that would settle every rate to plus or minus 0.1.", format="localized"
        ),
    }
    for rate in rates:
        name = rate.replace("_", " ")
        settings[rate] = st.column_config.NumberColumn(
            name, help=f"{METRICS[rate].label}: {METRICS[rate].formula}", format="%.3f"
        )
        settings[f"{rate}_low"] = st.column_config.NumberColumn(
            "from", help=f"Lower end of the 95% interval of {name}.", format="%.3f"
        )
        settings[f"{rate}_high"] = st.column_config.NumberColumn(
            "to", help=f"Upper end of the 95% interval of {name}.", format="%.3f"
        )
    return settings
