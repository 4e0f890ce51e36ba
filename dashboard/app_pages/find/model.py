"""Reasons of the model on the whole.

Mean absolute SHAP value of every raw column, as opened and now.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.errors import RedressError
from core.figures import reasons
from core.words import count, plain
from dashboard import cached
from dashboard.components import chart, computed, computing
from dashboard.components.tables import worded
from dashboard.session import Key
from dashboard.work import Work


def show(work: Work) -> None:
    """Show the reasons of the whole model once they are asked for.

    With deep trees they take a while.
    """
    if not st.toggle(
        "What the model goes by",
        key=Key.FIND_MODEL_REASONS,
        help="How much each column adds to or takes from a score on average, by the model as opened and by the model now.",
    ):
        return
    try:
        found = computed.model_reasons(work)
    except RedressError as error:
        st.info(plain(error))
        return
    if found is None:
        computing.place(work, computed.MODEL)
        return
    table = pd.DataFrame({"as opened": found[0]})
    if len(found) > 1:
        table["now"] = found[1]
    table = table.sort_values(str(table.columns[-1]), ascending=False, kind="stable").rename_axis("column")
    unit = str(found[-1].attrs["output"])
    chart.show(reasons.of_model(table, unit), f"model_reasons_{cached.key(work)}")
    st.caption(
        f"Mean absolute SHAP value over {count(found[-1].attrs['n_records'], 'training record')} drawn once, the same for every version."
    )
    with st.expander("As a table"):
        st.dataframe(
            **worded(
                table,
                {
                    name: st.column_config.NumberColumn(
                        name, format="%.4f", help=f"Mean absolute SHAP value in {unit}."
                    )
                    for name in table.columns
                },
            ),
            lazy=False,
        )
