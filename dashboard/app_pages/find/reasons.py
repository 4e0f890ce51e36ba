"""Why the model scores the open record as it does: as opened, and now."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import RedressError
from core.figures import reasons
from core.words import number, plain
from dashboard import cached
from dashboard.components import chart, computed, computing
from dashboard.components.tables import worded
from dashboard.work import Work


def show(work: Work, record: Any) -> None:
    """Show the record's SHAP values by raw column, as a chart and as a table."""
    try:
        found = computed.record_reasons(work, record)
    except RedressError as error:
        st.caption(f":material/info: {plain(error)}")
        return
    if found is None:
        computing.place(work, computed.REASONS, record)
        return
    table = _table(found)
    roles, unit = cached.case(work).roles, str(found[-1].attrs["output"])
    towards = f"{roles.target} = {roles.pos_label}"
    chart.show(reasons.of_record(table, record, towards, unit), f"reasons_{record}_{cached.key(work)}")
    ends = [
        f"{name.capitalize()}: {number(one.attrs['base_value'])} on average, {number(one.attrs['base_value'] + one.iloc[0].sum())} for this record"
        for name, one in zip(table.columns, found, strict=False)
    ]
    st.caption(
        f"SHAP values in {unit} of {plain(towards)}: what each column adds to the model's average score. {plain('. '.join(ends))}."
    )
    values = cached.case(work).X_train.iloc[cached.case(work).record_ids.get_loc(record)]
    shown = table.assign(value=[str(values[name]) for name in table.index])
    with st.expander("Reasons as a table"):
        st.dataframe(
            **worded(
                shown[["value", *table.columns]],
                {
                    name: st.column_config.NumberColumn(name, format="%+.4f", help=f"SHAP value in {unit}.")
                    for name in table.columns
                },
            ),
            lazy=False,
        )


def _table(found: list[pd.DataFrame]) -> pd.DataFrame:
    """Return one row per column, largest reason first: ``as opened`` and ``now``.

    The latter where there is another version.
    """
    table = pd.DataFrame({"as opened": found[0].iloc[0]})
    if len(found) > 1:
        table["now"] = found[1].iloc[0]
    order = table.abs().max(axis=1).sort_values(ascending=False, kind="stable").index
    return table.loc[order].rename_axis("column")
