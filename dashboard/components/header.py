"""The header of every page: the case, its version and gap, and the tiles with the verdict.

Undo, redo and reset stand here, and the figures behind the tiles.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import RedressError
from core.metrics import METRICS, AuditReport
from core.metrics.catalog import shown
from core.metrics.samples import feature_name
from core.typing import Feature
from core.words import chance, count, interval, number, percent, plain, seconds
from dashboard import cached, meaning, session, workspace
from dashboard.components import computed, opening, pages, take_away
from dashboard.components.face import mount, stops
from dashboard.components.figures_table import Cell, StripColumn, strip_html
from dashboard.history import VERBS
from dashboard.session import Key
from dashboard.tables import row
from dashboard.work import Work

STRIP_FRAGMENT = "strip"
TILES = "face_tiles"
WIDTH = 190


@st.fragment(key=STRIP_FRAGMENT)
def show(page: str) -> None:
    """Show the header of the open case on a page of this title."""
    work = session.work()
    if work is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=Key.STRIP_CHOICES):
        version = f"version {work.number}" if work.at else "as opened"
        st.markdown(f"**{plain(workspace.case_title(work.case_id))}** \N{MIDDLE DOT} {version}", width="content")
        _selectors(work)
        _buttons(work)
        take_away.show(work)
        with st.popover("Figures", icon=":material/table_rows:"):
            _figures(work)
    try:
        found, at, best = stops.all_stops(work)
    except RedressError as error:
        st.error(plain(error))
        return
    forgotten = len(cached.case(work).forgotten_ids) > 0
    verb = "Remove" if work.edit is None else VERBS[work.edit.kind]
    found = stops.with_steps(found, best, finding_page=page == pages.TITLES[pages.FIND], forgotten=forgotten, verb=verb)
    with st.container(key=Key.TILES_BOX):
        mount.show_tiles(
            found,
            cached.case(work, 0).roles,
            key=TILES,
            channel=channel(work),
            at=at,
            rev=session.face_revision(),
            act=_act,
        )


def channel(work: Work) -> str:
    """Return what the tiles and the bars of one version and gap have in common."""
    return f"{cached.key(work)}|{work.metric}|{work.feature}"


def _act() -> None:
    """Do what the button beside the verdict says."""
    said = mount.said_by_component(TILES, "act") or {}
    work = session.work()
    if work is None:
        return
    action, size = said.get("action"), int(said.get("size") or 0)
    if action == "find":
        session.turn_to(pages.FIND)
    elif action == "prove":
        session.turn_to(pages.PROVE)
    elif action == "undo":
        _move(work.at - 1)
    elif action == "select":
        select_first(work, size)
    elif action == "remove":
        _remove(work, size)
    st.rerun()  # The whole page: what is selected and removed shows outside this fragment.


def select_first(work: Work, size: int) -> None:
    """Select the first records of the ranking, as many as the slider says."""
    ranked = stops.along_if_kept(work)
    if ranked is not None:
        session.select(tuple(ranked[0].ranking[:size]), moved=True)


def _remove(work: Work, size: int) -> None:
    """Remove the selection, or so many of the first records of the ranking."""
    if size and size != len(work.selection):
        select_first(work, size)
    remove_selected()


def remove_selected() -> None:
    """Remove the selected records, by the first way that works."""
    work = session.work()
    if work is None or not work.selection:
        return
    opening.remove_selection()


def _figures(work: Work) -> None:
    """Show the numbers behind the tiles, each with its formula and counts one hover away."""
    try:
        roles = cached.case(work, 0).roles
        about = f"{meaning.label(work.metric, roles)}: {meaning.of_gap(work.metric, roles)}"
        if work.threshold is not None:
            about += f"; by the threshold chosen: {meaning.of_threshold(work.threshold, roles)}"
        rows = len(cached.case(work, 0).rows("explore"))
        st.html(strip_html(_columns(work), f"{about}. On the {rows:,} test rows searched."))
    except RedressError as error:
        st.error(plain(error))


def _selectors(work: Work) -> None:
    probability, roles = cached.case(work, 0).score_kind == "probability", cached.case(work, 0).roles
    known = list(shown("difference", "ratio", probability=probability))
    gaps = known if work.metric in known else [work.metric, *known]
    st.selectbox(
        "Gap",
        gaps,
        gaps.index(work.metric),
        format_func=lambda name: meaning.label(name, roles),
        key=f"{Key.STRIP_METRIC}_{work.metric}",
        on_change=_choose,
        label_visibility="collapsed",
        width=WIDTH,
    )
    features = choices(work)
    st.selectbox(
        "Sensitive feature",
        features,
        features.index(work.feature),
        format_func=feature_name,
        key=f"{Key.STRIP_FEATURE}_{work.feature}",
        on_change=_choose,
        label_visibility="collapsed",
        width=WIDTH,
    )


def choices(work: Work) -> list[Feature]:
    """Return the sensitive features and, of several, their intersection."""
    names = tuple(cached.case(work, 0).roles.sensitive_features)
    return [*names, names] if len(names) > 1 else [*names]


def _choose() -> None:
    work = session.work()
    if work is None:
        return
    metric = session.value(f"{Key.STRIP_METRIC}_{work.metric}") or work.metric
    feature = session.value(f"{Key.STRIP_FEATURE}_{work.feature}") or work.feature
    session.commit(replace(work, metric=metric, feature=feature))
    st.rerun()


def _buttons(work: Work) -> None:
    for name, icon, to, about in (
        ("Undo", "undo", work.at - 1, "Go back to the version before the last step"),
        ("Redo", "redo", work.at + 1, "Take the step again that was undone"),
        ("Reset", "restart_alt", 0, "Go back to the case as it was opened; redo brings the steps back"),
    ):
        st.button(
            name,
            icon=f":material/{icon}:",
            help=about,
            key=f"{Key.STRIP_MOVE}_{name}",
            disabled=not 0 <= to <= len(work.steps) or to == work.at,
            on_click=_move,
            args=(to,),
        )


def _move(to: int) -> None:
    work = session.work()
    if work is not None:
        opening.go_to(replace(work, at=to, selection=()))
    st.rerun()


def _columns(work: Work) -> list[StripColumn]:
    metric = METRICS[work.metric]
    roles = cached.case(work, 0).roles
    rate, (bad, _) = meaning.of_rate(metric.rate, roles), meaning.ends(metric.rate, roles)
    titles = (meaning.label(work.metric, roles), f"{bad.capitalize()} group: {rate}", "Accuracy", "Removed", "Time")
    preview = _preview(work) if work.selection else [None] * len(titles)
    moments = (_numbers(work, 0), preview, _numbers(work, work.at))
    return [StripColumn(*cells) for cells in zip(titles, *moments, strict=True)]


def _numbers(work: Work, at: int) -> tuple[Cell, ...]:
    found = cached.report(work, (work.metric, "accuracy"), (work.feature,), at)
    # Whether there is a gap is asked of a model as opened on all test rows.
    on = cached.rows_of_version(replace(work, at=at))
    asked = cached.report(work, (work.metric, "accuracy"), (work.feature,), at, on=on)
    return (*_measured(work, found, asked), _removed(work, at), _time(work, at))


def _preview(work: Work) -> tuple[Cell, ...]:
    nothing = (Cell(number(None)),) * 5
    case = cached.version(work).case
    gone = len(case.forgotten_ids) + len(work.selection)
    facts = f"{count(len(work.selection), 'record')} selected, {count(len(case.forgotten_ids))} removed before"
    known = Cell(count(gone), "", facts), nothing[4]
    try:
        scores = computed.scores_without_selection(work)
        if scores is None:
            return (Cell("\N{HORIZONTAL ELLIPSIS}", "", "Being predicted."), *nothing[1:3], *known)
        found = cached.predicted_audit(work, (work.metric, "accuracy"), scores[0])
    except RedressError as error:
        return (Cell(number(None), "", str(error)), *nothing[1:3], *known)
    return (*_measured(work, found, found), *known)


def _measured(work: Work, found: AuditReport, asked: AuditReport) -> tuple[Cell, Cell, Cell]:
    metric, name = METRICS[work.metric], feature_name(work.feature)
    gap, (bad, good) = row(found.gaps, (work.metric, name)), meaning.ends(metric.rate, cached.case(work, 0).roles)
    facts = (
        f"{metric.formula}\n{count(found.n, 'test row')}; 95% interval from {count(found.n_resamples)} resamples\n"
        f"{bad} {gap['worst_group']}, {good} {gap['best_group']}; "
        f"permutation p {chance(row(asked.gaps, (work.metric, name))['p_value'])}{'' if asked.n == found.n else f' on all {count(asked.n)} test rows'}"
    )
    if gap["left_out"]:
        facts += f"\nwithout {gap['left_out']}, where the rate is undefined"
    value = Cell(number(gap["value"]), interval(gap["low"], gap["high"]), facts)
    return value, _worst(work, found, gap["worst_group"]), _accuracy(float(found.overall["accuracy"]), found.n)


def _worst(work: Work, found: AuditReport, group: str | None) -> Cell:
    if group is None:
        return Cell(number(None), "", "The rate is undefined in every group.")
    rate = METRICS[work.metric].rate
    facts = row(found.by_group, (feature_name(work.feature), group))
    called = meaning.label(rate, cached.case(work, 0).roles)
    about = f"{called}: {METRICS[rate].formula}\n{group}: n = {count(facts['n'])}; 95% interval"
    if facts["insufficient"]:
        about += f"\ninsufficient evidence: {count(facts['n_needed'], 'row')} would be needed"
    return Cell(number(facts[rate]), f"{group}, {interval(facts[f'{rate}_low'], facts[f'{rate}_high'])}", about)


def _accuracy(value: float, n: int) -> Cell:
    low, high = cached.wilson_interval(value, n)
    facts = f"P(D = Y): {count(round(value * n))} of {count(n, 'test row')} decided right; Wilson's 95% interval"
    return Cell(percent(value), f"{percent(low)} to {percent(high)}", facts)


def _removed(work: Work, at: int) -> Cell:
    case = cached.version(work, at).case
    gone, whole = len(case.forgotten_ids), len(case.record_ids)
    return Cell(count(gone), "", f"{count(gone)} of {count(whole, 'training record')}, {percent(gone / whole, 2)}")


def _time(work: Work, at: int) -> Cell:
    results = [cached.version(work, i + 1).result for i in range(at)]
    done = [result for result in results if result is not None]
    if not done:
        return Cell(number(None))
    last = done[-1]
    what = f"last removal: {count(last.n_forgotten, 'record')}" if last.n_forgotten else "trained again"
    facts = f"{what} by {last.method}, {last.claim}"
    if last.relative_bound is not None:
        facts += f"\nproven within {last.relative_bound:.1g} of the retrained parameters, relative to their length"
    if last.seconds_prepare:
        facts += f"\n{seconds(last.seconds_prepare)} of it prepared the version before, once"
    if len(done) > 1:
        facts += f"\nall {len(done)} removals: {seconds(sum(result.seconds for result in done))}"
    return Cell(seconds(last.seconds), "", facts)
