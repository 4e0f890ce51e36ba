"""Gains to expect of rules on rows that were not searched: searches on halves of these.

Each search on one half lists rules as the whole one does. Where one of them has much the same records as a rule found, what removing
them does is measured on the other half; the mean over these searches is what to expect of the rule. How many searches put much its
records first tells whether it is just this group, or one of many that explain the gap as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.actions.influence import attributor_of
from core.actions.unlearn import unlearn
from core.attribution.expected import N_SPLITS, Gain, Half, average, divide, exploring
from core.attribution.outcome import Outcome
from core.errors import InputError, InputTypeError
from core.former import check_progress
from core.metrics.catalog import metric_of
from core.rules.choosing import shown_first
from core.rules.explanation import Explanation
from core.rules.gap import NO_GAP, Gap, extremes_of
from core.rules.measuring import removal_method
from core.rules.models import Traced
from core.rules.rule import Rule
from core.rules.search import Searched, pool_of, unheard
from core.rules.subset import Subset
from core.rules.tracing import trace
from core.typing import Floats, Positions, Progress

FOUND, AGAIN = 0.8, 0.5
"""Jaccard similarity of records from which on a search on half of the rows came by the rule, and found much the same records first."""


@dataclass(frozen=True, eq=False)
class Stages:
    """Results of the stages of a search, to go on from.

    Parameters
    ----------
    gap : Gap
    traced : Traced
    searched : Searched
    """

    gap: Gap
    traced: Traced
    searched: Searched


def expected_gains(found: Explanation, *, progress: Progress | None = None) -> Explanation:
    """Find out what rules are expected to do on rows that were not searched.

    Costs ten searches on halves of the rows. What groups of records do to the scores is predicted once for all of them, so that these
    take little longer than the first one.

    Parameters
    ----------
    found : Explanation
        What `explain_gap` gave.
    progress : callable, optional
        Called with the share done and what is being done; may raise to give up.

    Returns
    -------
    Explanation
        The same rules, each with `expected`, `found_again` and the claims `helps` and `this_group`.

    Examples
    --------
    >>> import core
    >>> case = core.load_case("sample_data/credit")
    >>> found = core.expected_gains(core.explain_gap(case, max_predicates=2, top_k=1))
    >>> found[0].helps, found[0].n_searches
    (True, 10)
    """
    check_progress(progress)
    if not isinstance(found, Explanation):
        raise InputTypeError(f"`found` must be what core.explain_gap gives. Got {type(found).__name__} instead.")
    if not len(found):
        return found
    work: Stages = found.work
    case, seed = work.searched.models.case, work.searched.space.asked.seed
    divisions = divide(case, found.sensitive_feature, found.on, N_SPLITS, seed)
    listed: list[list[Rule]] = []
    for number, half in enumerate(half for halves in divisions for half in halves):
        if progress is not None:
            progress(0.9 * number / (2 * N_SPLITS), "Searching half of the rows")
        listed.append(_rules_on(work, half))
    scores = _Scores(work)
    subsets = []
    for number, subset in enumerate(found.subsets):
        if progress is not None:
            progress(0.9 + 0.1 * number / len(found), "Measuring what was found on the other half")
        subsets.append(_with_expected(subset, divisions, listed, scores))
    return replace(found, subsets=tuple(subsets), notes=(*found.notes, *_notes(subsets)))


def _rules_on(work: Stages, half: Half) -> list[Rule]:
    """Return the rules that a search on one half lists."""
    gap, searched = work.gap, work.searched
    models, space = searched.models, searched.space
    rows = half.case.rows("explore")
    value = Outcome.of(half.case, gap.metric, gap.feature, "explore").value()
    if not metric_of(gap.metric).short_of_best(value) > NO_GAP:
        return []
    extremes = extremes_of(half.case, gap.metric, gap.feature, "explore")
    try:
        with attributor_of(models.tracing) as attributor:
            traced = trace(attributor, exploring(models.tracing, rows), extremes, "explore")
    except InputError:
        return []
    predicting = exploring(models.predicting, rows)
    pool = pool_of(space, searched.effects, predicting, extremes, traced, half.places, unheard)
    return shown_first(pool.rules, traced.gain, space.asked.top_k)


class _Scores:
    """Scores without the records of rules that were found on halves.

    By removing them where that is quick.
    """

    def __init__(self, work: Stages) -> None:
        self.work = work
        self.method = removal_method(work.searched.models.case)
        self._known: dict[bytes, Floats] = {}

    def without(self, rule: Rule, subset: Subset) -> Floats:
        """Return the scores without a rule's records, which are much those of `subset`."""
        models, effects = self.work.searched.models, self.work.searched.effects
        positions = np.flatnonzero(models.case.retained)[rule.rows]
        ids = models.case.record_ids[positions]
        if models.by_refit or ids.equals(subset.forget):
            return subset.scores_after
        key = positions.tobytes()
        if key not in self._known:
            self._known[key] = effects.scores([rule.rows], unheard)[0]
            if self.method != "refit":
                self._known[key] = unlearn(models.case, ids, method=self.method).case.scores(self.work.gap.on)
        return self._known[key]


def _with_expected(
    subset: Subset, divisions: list[tuple[Half, Half]], listed: list[list[Rule]], scores: _Scores
) -> Subset:
    gap, case = scores.work.gap, scores.work.searched.models.case
    own = np.searchsorted(np.flatnonzero(case.retained), case.positions(subset.forget))
    gains: list[Gain | None] = []
    again = 0
    for rules, other in zip(listed, (half for halves in divisions for half in halves[::-1]), strict=True):
        likeness = [_likeness(rule.rows, own) for rule in rules]
        again += bool(likeness) and likeness[0] >= AGAIN
        best = int(np.argmax(likeness)) if likeness else -1
        found = best >= 0 and likeness[best] >= FOUND
        after = scores.without(rules[best], subset) if found else None
        gains.append(None if after is None else other.gain(gap.metric, gap.feature, after))
    pairs = list(zip(gains[::2], gains[1::2], strict=True))
    short = float(metric_of(gap.metric).short_of_best(gap.value))
    expected = average(pairs, n_rows=len(case.rows(gap.on)), gap=short)
    return replace(subset, expected=expected, found_again=again, n_searches=len(listed), gap_p_value=gap.tested.p_value)


def _likeness(rows: Positions, own: Positions) -> float:
    common = len(np.intersect1d(rows, own, assume_unique=True))
    return common / max(len(rows) + len(own) - common, 1)


def _notes(subsets: list[Subset]) -> list[str]:
    if any(one.helps for one in subsets):
        return []
    which = "this rule" if len(subsets) == 1 else f"any of these {len(subsets)} rules"
    return [
        f"These rows cannot tell that {which} would help on other rows; what is measured holds on the rows searched."
    ]
