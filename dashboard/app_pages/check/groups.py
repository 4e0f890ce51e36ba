"""The rates of each group and of each intersection; how large they are stands folded below."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import core
from core.figures import groups
from core.metrics import METRICS, AuditReport
from core.metrics.catalog import shown
from core.metrics.samples import feature_name
from core.typing import Feature
from core.words import count, inline, listing, plain
from dashboard import cached, meaning
from dashboard.components import chart
from dashboard.components.face import group_bars
from dashboard.components.tables import download, rate_table, with_counts, worded
from dashboard.session import Key
from dashboard.work import Work

MANY = 1_000_000


def show(work: Work) -> None:
    """Show rates and sizes of the chosen sensitive feature's groups."""
    group_bars.show_described(work)
    _rates(work, work.feature, Key.CHECK_RATE)
    _sizes(work, work.feature)


def intersections(work: Work) -> None:
    """Show sizes and rates of the combinations of all sensitive features."""
    names = tuple(cached.case(work).roles.sensitive_features)
    if len(names) < 2:
        st.info("Intersections need two sensitive features. This case has one; choose more when you open it.")
        return
    st.caption(f"Every combination of {listing(plain(name) for name in names)} that occurs in these rows.")
    _rates(work, names, Key.CHECK_CROSS_RATE)
    _sizes(work, names)


def _sizes(work: Work, feature: Feature) -> None:
    case = cached.case(work)
    table = cached.table(work, "sizes", feature)
    small = _small(work, feature)
    if len(small):
        _insufficient(small, case.roles)
    with st.expander("How large the groups are"):
        _size_chart(table, feature, case)


def _size_chart(table: pd.DataFrame, feature: Feature, case: core.Case) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        chart.show(groups.sizes(table, feature_name(feature)), f"sizes_{feature_name(feature)}")
    with right:
        st.dataframe(
            **worded(
                table.rename_axis(feature_name(feature)),
                {
                    "train": st.column_config.NumberColumn(
                        "training", help="Records the model knows now.", format="localized"
                    ),
                    "test": st.column_config.NumberColumn(
                        "test", help="Test rows that the numbers here are of.", format="localized"
                    ),
                    "base_rate": st.column_config.NumberColumn(
                        "good outcome",
                        help=f"Share of these rows with {plain(case.roles.target)} = {plain(case.roles.favorable_label)}.",
                        format="percent",
                    ),
                },
            ),
            lazy=False,
            key=f"table_sizes_{feature_name(feature)}",  # Another table, so that its columns are as wide as they need.
        )


def _small(work: Work, feature: Feature) -> pd.DataFrame:
    table = _report(work, feature).by_group.droplevel(0)
    return table[table["insufficient"]]


def _insufficient(small: pd.DataFrame, roles: core.Roles) -> None:
    names = [f"{plain(group)} ({_lacking(row, roles)})" for group, row in small.iloc[:6].iterrows()]
    more = f" and {len(small) - 6} more" if len(small) > 6 else ""
    st.warning(
        f"Insufficient evidence for {listing(names)}{more}: at least one rate is known no better than plus or minus 0.1.",
        icon=":material/hourglass_empty:",
    )


def _lacking(row: pd.Series, roles: core.Roles) -> str:
    """Return which rate a group has too few rows for, how many it has and how many it needs.

    Rows are those that the rate is a share of.
    """
    rates = [name.removesuffix("_of") for name in row.index if name.endswith("_of")]
    short = [rate for rate in rates if row[f"{rate}_of"] < row[f"{rate}_of_needed"]]
    if not short:
        return f"n = {count(row['n'])}, needs {_needed(row['n_needed'])}"
    rate = max(short, key=lambda rate: row[f"{rate}_of_needed"] / max(row[f"{rate}_of"], 0.5))
    hits, of, needed = row[f"{rate}_hits"], row[f"{rate}_of"], row[f"{rate}_of_needed"]
    return f"{plain(inline(meaning.label(rate, roles)))}: {hits:,.0f} of {count(of, 'row')}, needs {_needed(needed)}"


def _needed(n: float) -> str:
    """Return how many rows a group needs.

    A rate that hardly any of its rows count for needs more than anybody has.
    """
    return count(n) if n < MANY else f"over {count(MANY)}"


def _report(work: Work, feature: Feature) -> AuditReport:
    return cached.report(work, _shown(work), (feature,), on=cached.rows_of_version(work))


def _shown(work: Work) -> tuple[str, ...]:
    """Return the rates to show.

    Where the class that is scored is the bad outcome, as in fraud, precision is that of flags.
    """
    case = cached.case(work)
    probability = case.score_kind == "probability"
    rates = shown("rate", probability=probability)
    if not meaning.scored_is_bad(case.roles):
        return rates
    return tuple(f"detection_{rate}" if f"detection_{rate}" in METRICS else rate for rate in rates)


def _rates(work: Work, feature: Feature, key: str) -> None:
    table = _report(work, feature).by_group.droplevel(0)
    rates = [rate for rate in _shown(work) if rate in table]
    first, roles = METRICS[work.metric].rate, cached.case(work, 0).roles
    chosen = st.selectbox(
        "Rate",
        rates,
        rates.index(first if first in rates else "true_positive_rate"),
        format_func=lambda rate: meaning.label(rate, roles),
        key=f"{key}_{work.metric}",
        width=420,
    )
    metric = METRICS[chosen]
    chart.show(groups.rates(table, chosen, meaning.label(chosen, roles), metric.formula), f"rates_{key}")
    st.caption("All rates, with their 95% intervals; hover over a column's name for its formula.")
    st.dataframe(
        **worded(with_counts(table.rename_axis(feature_name(feature)), rates), rate_table(rates, roles)),
        lazy=False,
        key=f"table_{key}_{feature_name(feature)}",
    )
    download(table, f"rates_{key}")
