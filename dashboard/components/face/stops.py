"""The stops of the face: the model in force or the selection, then the ranking's first.

A stop of the ranking removes so many of its first records.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import core
from core.errors import RedressError
from core.words import count
from dashboard import cached
from dashboard.components import computed, computing
from dashboard.components.face.moment import Moment, moment_of
from dashboard.components.face.tiles import Stop
from dashboard.components.face.verdicts import NextStep, Said, finding, said_of
from dashboard.components.searched import HARMFUL
from dashboard.jobs import Report
from dashboard.work import Work

STOPS = "stops along the ranking"
FINE, COARSE = 1, 3
"""Every so many sizes of the curve are looked at; the coarse ones first."""
WAITING = Said("flat", "Being predicted", "What removing the selected records does is on its way.")


def moment(work: Work, at: int | None = None, *, on: str = "explore") -> Moment:
    """Return the moment of a version, by default the one in force, on the rows searched."""
    found = cached.report(work, (work.metric, "accuracy"), (work.feature,), work.at if at is None else at, on=on)
    return moment_of(found, work.metric, work.feature)


def in_force(work: Work) -> Stop:
    """Return the stop of the version in force."""
    opened = moment(work, 0)
    roles = cached.case(work, 0).roles
    if not work.at:
        asked = moment(work, 0, on=cached.rows_of_version(work))
        return Stop(0, opened, opened, finding(opened, roles, asked), "opened")
    judged = cached.shifted(work)
    return Stop(0, opened, moment(work), said_of(judged.side, judged.why, work.feature, roles), "now")


def described(work: Work) -> Stop:
    """Return the stop of the version in force on the rows that describe it.

    These are all test rows for a model as opened.
    """
    on = cached.rows_of_version(work)
    now, roles = moment(work, on=on), cached.case(work, 0).roles
    return Stop(0, moment(work, 0, on=on), now, finding(now, roles), "now" if work.at else "opened")


def selected(work: Work) -> Stop:
    """Return the stop of the selection: the prediction for the version in force without it."""
    now, n = moment(work), len(work.selection)
    roles = cached.case(work, 0).roles
    try:
        scores = computed.scores_without_selection(work)
    except RedressError as error:
        return Stop(n, now, now, Said("flat", "No preview", f"{error} Remove shows the change; undo takes it back."))
    if scores is None:
        return Stop(n, now, now, WAITING)
    found = cached.predicted_audit(work, (work.metric, "accuracy"), scores[0])
    judged = cached.predicted(work, scores[0])
    return Stop(
        n,
        now,
        moment_of(found, work.metric, work.feature),
        said_of(judged.side, judged.why, work.feature, roles),
    )


def along_if_kept(work: Work) -> tuple[core.HarmfulRecords, list[Stop]] | None:
    """Return the ranking and the stops along it, where they were looked at already.

    Of several, the finest.
    """
    results = cached.results()
    try:
        found = results.peek(cached.name_of(work, HARMFUL, work.metric, work.feature))
        stops = [results.peek(cached.name_of(work, STOPS, work.metric, work.feature, step)) for step in (FINE, COARSE)]
    except RedressError:
        return None
    kept = next((one for one in stops if one is not None), None)
    return None if found is None or kept is None else (found, kept)


def look_along(work: Work, found: core.HarmfulRecords) -> bool:
    """Look at the stops along a ranking, a few of them first; return whether that is over."""
    coarse: list[Stop] | None = computing.result(
        work,
        STOPS,
        "Looking along the ranking",
        lambda report: _stops(work, found, COARSE, (), report),
        *(work.metric, work.feature, COARSE),
    )
    if coarse is None:
        return computing.is_given_up(work, STOPS, work.metric, work.feature, COARSE)
    fine = computing.result(
        work,
        STOPS,
        "Looking along the ranking more closely",
        lambda report: _stops(work, found, FINE, coarse, report),
        *(work.metric, work.feature, FINE),
    )
    return fine is not None or computing.is_given_up(work, STOPS, work.metric, work.feature, FINE)


def _stops(
    work: Work, found: core.HarmfulRecords, step: int, known: tuple[Stop, ...] | list[Stop], report: Report
) -> list[Stop]:
    """Return a stop for every so many sizes, the best among them, those `known` as they are."""
    now = moment(work)
    sizes = [int(n) for n in found.curve["n_removed"]]
    wanted = [i for i, n in enumerate(sizes) if n and (i % step == 0 or n == len(found.forget))]
    there, stops = {stop.size: stop for stop in known}, []
    for done, i in enumerate(wanted):
        report(done / len(wanted), f"the first {count(sizes[i], 'record')}")
        stop = there.get(sizes[i])
        if stop is None:
            stop = without(work, now, found.scores[i], found.ranking[: sizes[i]])
        stops.append(stop)
    return stops


def without(work: Work, now: Moment, scores: Any, forget: Any) -> Stop:
    """Return the stop of removing records, from the scores that the model has without them.

    Parameters
    ----------
    work : Work
    now : Moment
        The version in force.
    scores : ndarray
        Of pos_label, on the rows searched.
    forget : Index
        Ids of the records.
    """
    found = cached.audited_scores(work, (work.metric, "accuracy"), scores)
    roles = cached.case(work, 0).roles
    try:
        said = said_of(cached.judged_scores(work, scores, forget), "", work.feature, roles)
    except RedressError as error:
        said = said_of(None, str(error), work.feature, roles)
    return Stop(len(forget), now, moment_of(found, work.metric, work.feature), said)


def of_rule(work: Work, rule: core.Subset) -> Stop:
    """Return the stop of a rule, from the scores its real removal gave."""
    name = cached.name_of(work, "stop of a rule", work.metric, work.feature, rule.rule)
    found: Stop = cached.results().make(name, lambda: without(work, moment(work), rule.scores_after, rule.forget))
    return found


def all_stops(work: Work) -> tuple[list[Stop], int, int]:
    """Return every stop, which one the selection is, and which is best; 0 where there is none.

    The first is the version in force, or a selection that is none of the others.
    """
    ranked = along_if_kept(work) if work.edit is None else None
    if ranked is None:
        return [_first(work)], 0, 0
    found, stops = ranked
    sizes = [stop.size for stop in stops]
    best = sizes.index(len(found.forget)) + 1 if len(found.forget) in sizes else 0
    n = len(work.selection)
    if n in sizes and set(work.selection) == set(found.ranking[:n]):
        return [in_force(work), *stops], sizes.index(n) + 1, best
    return [_first(work), *stops], 0, best


def _first(work: Work) -> Stop:
    return selected(work) if work.selection else in_force(work)


def with_steps(
    stops: list[Stop], best: int, *, finding_page: bool, forgotten: bool = True, verb: str = "Remove"
) -> list[Stop]:
    """Return the stops, each with what its button does.

    Parameters
    ----------
    stops : list of Stop
    best : int
        The stop that is best; 0 for none.
    finding_page : bool
        Whether the page is the one where records are found.
    forgotten : bool
        Whether the version in force has forgotten records, which can be proved.
    verb : str
        What is to be done to the selected records.
    """
    better = stops[best].size if best and stops[best].said.tone != "bad" else 0
    find = NextStep("find", "Find who teaches it")
    after = NextStep("prove", "Prove that they are forgotten") if forgotten else NextStep("find", "Find others")
    go = NextStep("go", f"Go to {count(better, 'record')}", better) if better else NextStep("find", "Choose others")
    if finding_page and not better:
        find = go = NextStep()
    steps = []
    for stop in stops:
        bad = stop.said.tone == "bad"
        if stop.mode == "opened":
            step = go if finding_page else find
        elif stop.mode == "now":
            step = NextStep("undo", "Undo this") if bad else after
        else:
            step = go if bad else NextStep("remove", f"{verb} {count(stop.size, 'record')}", stop.size)
        steps.append(replace(stop, said=stop.said.then(step)))
    return steps
