"""Rules that explain the gap: describable records whose removal really narrows it."""

from __future__ import annotations

from typing import Any

import streamlit as st

import core
from core.errors import RedressError
from core.rules.titles import title_of
from core.words import count, inline, listing, number, percent, plain
from dashboard import cached, meaning, session
from dashboard.components import computing, header, searched
from dashboard.components.face import stops
from dashboard.components.face.card import card_bar
from dashboard.components.tables import download, worded
from dashboard.records import records_where
from dashboard.session import Key
from dashboard.work import Work

LABEL = "Explain the gap"
LITTLE = 0.5
"""An expected correlation below this is pointed out."""


def show(work: Work) -> None:
    """Show the button that starts the search, and what it found."""
    settings = _settings()
    asked = (work.metric, work.feature, settings)
    if not computing.requested(work, searched.RULES_SEARCH, LABEL, *asked):
        gap = plain(inline(meaning.label(work.metric, cached.case(work).roles)))
        st.caption(
            f"Searches for rules on the raw columns whose records cause the {gap}, really removes the records of the best, and searches "
            "again on halves of the rows to tell what to expect on others."
        )
        return
    try:
        found = searched.rules(work, settings)
    except RedressError as error:
        st.info(plain(error))
        computing.offer_again(error, work, searched.RULES_SEARCH)
        return
    if found is None:
        computing.place(work, searched.RULES_SEARCH, *asked)
        return
    known = searched.rules_expected(work, settings, found)
    shown = found if known is None else known
    _head(shown)
    if not found.complete:
        computing.requested(work, searched.RULES_SEARCH, "Search again, to the end", *asked, again=True)
    if known is None:
        st.caption("What is measured holds on the rows searched. What to expect on others is being worked out.")
        computing.place(work, searched.RULES_EXPECTED, *asked)
    _cards(shown, work)
    _tables(work, shown)


def _cards(found: core.Explanation, work: Work) -> None:
    """Show the rules that help; the others behind a fold, once it is known which these are."""
    told = found.searched_again
    first = [one for one in found if one.helps or not told]
    others = [one for one in found if not (one.helps or not told)]
    for rank, rule in enumerate(first, 1):
        _card(rank, rule, work)
    if others:
        with st.expander(
            f"{count(len(others))}{' more' if first else ''} of which these rows cannot tell whether they help elsewhere"
        ):
            for rank, rule in enumerate(others, len(first) + 1):
                _card(rank, rule, work)


def _settings() -> searched.RuleSettings:
    with st.popover("Which rules", icon=":material/tune:"):
        conditions = st.slider("Most conditions of a rule", 1, 4, 3, key=Key.FIND_CONDITIONS, persist_state="session")
        low, high = st.slider(
            "Share of the records a rule may describe",
            0.1,
            50.0,
            (0.5, 20.0),
            0.1,
            format="%.1f%%",
            key=Key.FIND_SUPPORT,
            persist_state="session",
        )
    return int(conditions), float(low) / 100, float(high) / 100


def _head(found: core.Explanation) -> None:
    tried = f"{count(found.n_tried, 'rule')} tried for a gap of {number(found.gap)} on the {count(found.n_rows, 'row')} searched ({found.tested_words})."
    if not len(found) and not found.complete:
        st.info(
            "No rule was measured by then. The best-scored ones are in the tables; the strip previews the one selected there."
        )
    elif not len(found):
        st.info(
            "No rule stands out: none closes its share of the gap once its records are really removed. The slider takes the most harmful records "
            "whoever they are, Decisions and Labels start elsewhere, Remove makes a plan, and the header has other gaps."
        )
    elif found.searched_again and not found.helping:
        st.warning("None of these rules is expected to help on rows that were not searched.", icon=":material/casino:")
    if found.agreement < LITTLE:
        st.warning(
            f"What is predicted of rules says little here: its expected correlation with really removing their records is {number(found.agreement, 2)}. "
            "Go by what was measured by real removal.",
            icon=":material/query_stats:",
        )
    st.caption(plain(tried))
    for note in found.notes:
        st.caption(f":material/info: {plain(note)}")


def _card(rank: int, rule: core.Subset, work: Work) -> None:
    """Show a rule as a card: who they are, and what their removal does.

    It tells what is left of the gap without them, what that costs and who pays.
    """
    stop = stops.of_rule(work, rule)
    roles = cached.case(work).roles
    struck = stop.said.tone == "bad"
    with st.container(border=True, gap="xsmall"):
        title = plain(title_of(rule.conditions))
        st.markdown(f"**{f'~~{title}~~' if struck else title}**")
        st.caption(f"{count(rule.n_records, 'record')}, {percent(rule.support)} of the training records")
        st.html(card_bar(stop))
        if struck:
            st.markdown(f":red[:material/warning: **{plain(stop.said.title)}**] {plain(stop.said.text)}")
        with st.container(horizontal=True, gap="xsmall"):
            _badges(rule)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Preview",
                key=f"{Key.FIND_RULE}_{rank}",
                icon=":material/visibility:",
                help=plain(rule.beside_a_preview)
                or "Select these records; tiles and bars show what removing them does.",
                on_click=session.select,
                args=(tuple(rule.forget),),
            )
            if not struck:
                st.button(
                    f"Remove {count(rule.n_records)}",
                    key=f"{Key.FIND_RULE}_{rank}_remove",
                    icon=":material/content_cut:",
                    on_click=_remove,
                    args=(tuple(rule.forget),),
                )
            with st.popover("Details"):
                st.markdown(plain(meaning.reworded(rule.sentence, rule.metric, roles)))
                if rule.claim:
                    st.markdown(plain(rule.claim))
                st.caption(
                    f"Responsible for {percent(rule.responsibility, 0)} of the gap on the rows searched: (gap before less gap after) over gap "
                    f"before, the records really removed by {plain(rule.method)}, {plain(rule.guarantee)}."
                )
                _make_up(rule)


def _remove(ids: tuple[Any, ...]) -> None:
    session.select(ids)
    header.remove_selected()
    st.rerun()


def _badges(rule: core.Subset) -> None:
    if rule.this_group:
        st.badge("this group", icon=":material/target:", color="green")
    if rule.helps:
        st.badge("helps on other rows", icon=":material/check:", color="green")
    elif rule.helps is False:
        st.badge("may be chance", icon=":material/casino:", color="gray")
    if rule.sensitive:
        st.badge(f"uses {plain(listing(rule.sensitive))}, sensitive", icon=":material/person_alert:", color="violet")
    if rule.levels_down:
        st.badge("mostly because the better-off fare worse", icon=":material/trending_down:", color="orange")
    if rule.turned:
        st.badge("groups change places", icon=":material/swap_horiz:", color="orange")


def _make_up(rule: core.Subset) -> None:
    config = st.column_config
    table = rule.make_up[rule.make_up["n"] > 0].reset_index()
    st.dataframe(
        **worded(
            table,
            {
                "n": config.NumberColumn("records", help="Records of the rule.", format="localized"),
                "share": config.NumberColumn(
                    "of all such", help="Over the retained records of this group and label.", format="percent"
                ),
            },
        ),
        hide_index=True,
        lazy=False,
        width=340,
    )


def _tables(work: Work, found: core.Explanation) -> None:
    if found.candidates.empty:
        return
    with st.expander("As tables", expanded=not len(found)):
        if len(found):
            st.markdown("Rules measured by real removal")
            table = found.table.assign(sensitive=[", ".join(one.sensitive) for one in found])
            shown = table.assign(reversed=[one.turned for one in found])
            st.dataframe(**worded(shown, _columns()), hide_index=True, lazy=False)
            download(table, "rules")
        st.markdown("Best-scored rules, measured or not")
        scored = found.candidates.drop(columns="conditions")
        st.dataframe(**worded(scored, _columns()), hide_index=True, lazy=False, height=280)
        download(scored, "scored_rules")
        _scored(work, found)


def _scored(work: Work, found: core.Explanation) -> None:
    """Let a rule be selected that was scored, but not measured."""
    names = list(found.candidates["rule"])
    rank = st.selectbox("A scored rule", range(len(names)), format_func=names.__getitem__, key=Key.FIND_SCORED)
    st.button(
        "Select its records",
        key=Key.FIND_SCORED_SELECT,
        icon=":material/select:",
        on_click=_select_scored,
        args=(work, found, int(rank or 0)),
    )


def _select_scored(work: Work, found: core.Explanation, rank: int) -> None:
    case = cached.case(work)
    session.select(records_where(case, found.candidates["conditions"].iloc[rank]))


def _columns() -> dict[str, Any]:
    config = st.column_config
    about = {
        "support": ("support", "Share of the retained records.", "percent"),
        "summed": ("summed", "Sum of the records' single influences.", "%+.3f"),
        "predicted": ("predicted", "Predicted change of the gap without them together.", "%+.3f"),
        "verified": ("measured", "Change of the gap on the rows searched when they were really removed.", "%+.3f"),
        "change": ("signed change", "Paired change; of the signed difference where the groups change places.", "%+.3f"),
        "low": ("from", "Lower end of the paired 95% interval of the change.", "%+.3f"),
        "high": ("to", "Upper end of the paired 95% interval of the change.", "%+.3f"),
        "responsibility": ("responsibility", "(gap before less gap after) over gap before.", "percent"),
        "expected_gain": ("expected", "Gain to expect on rows that were not searched.", "%.3f"),
        "expected_low": ("expected from", "Lower end of its 90% interval.", "%.3f"),
        "expected_high": ("expected to", "Upper end of its 90% interval.", "%.3f"),
        "found_again": (
            "found again",
            "Of ten searches on half of the rows, those that found much the same records first.",
            "%d",
        ),
    }
    found: dict[str, Any] = {
        name: config.NumberColumn(label, help=words, format=form) for name, (label, words, form) in about.items()
    }
    rule = config.TextColumn("rule", width=170)
    return {"rule": rule, "n_records": config.NumberColumn("records", format="localized"), **found, **_marks()}


def _marks() -> dict[str, Any]:
    config = st.column_config
    return {
        "reversed": config.CheckboxColumn("reversed", help="The two groups change places."),
        "helps": config.CheckboxColumn("helps", help="A gain is expected on other rows beyond chance."),
        "this_group": config.CheckboxColumn(
            "this group",
            help="It helps, closes half of the gap, and most searches on half of the rows found much the same records first.",
        ),
        "levels_down": config.CheckboxColumn("levels down", help="Mostly because the better-off fare worse."),
        "sensitive": config.TextColumn("sensitive", help="Sensitive features the rule names."),
    }
