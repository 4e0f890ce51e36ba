"""The steps of explaining a gap: is there one, which rules are there, what would each do, what does each really do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.attribution.binning import Binned
from core.attribution.causes import NEARLY, SAME, Overlap
from core.attribution.collecting import rules_to_score
from core.attribution.conditions import Held
from core.attribution.confirmation import confirm, removal_method
from core.attribution.evidence import Evidence
from core.attribution.explanation import Explanation, Subset, badness, rule_text
from core.attribution.extremes import extremes_of
from core.attribution.gap import gap_to_explain
from core.attribution.groups import ENOUGH
from core.attribution.labels import Labels
from core.attribution.lattice import GAIN, HELPFUL, Search
from core.attribution.outcome import Outcome
from core.attribution.registry import attributor_of
from core.attribution.rule import Rule
from core.attribution.steady import Steady
from core.attribution.surrogate import fits_too_closely, surrogate
from core.attribution.tracing import Trace, trace
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.metrics.catalog import metric_of
from core.numerics.false_discovery import discovery_rates
from core.unlearning.base import Progress
from core.unlearning.registry import prepare

Floats = npt.NDArray[np.float64]

AT_ONCE = 10
LOOKED_AT = 50
"""Rules that are scored best and are looked at more closely, where the family can."""
LOOKED_FOR = 0.5
"""Share of the time given that this may take."""
ATTEMPTS = 3
"""For every rule asked for, at most so many are removed to find it."""
ALIKE = 0.8
"""Rules about a cause that close the gap by this share of what the best does: labels decide between them, where they say anything."""
AS_ODD, SURE = 0.8, 3.0
"""A rule's labels count as odd as the oddest ones' with this share of their evidence, or with so many nats less: a likelihood ratio of 20."""
COLUMNS = ("rule", "n_records", "support", "summed", "predicted", "p_value", "q_value", "conditions")


class StoppedError(Exception):
    """The user has asked to stop."""


class Explaining:
    """One gap being explained; `explanation` gives what is known so far.

    Parameters
    ----------
    case, metric, feature, on, q, seed, progress, cancelled
        As for `explain_gap`.
    """

    def __init__(
        self,
        case: Case,
        metric: str,
        feature: str | tuple[str, ...],
        on: str,
        q: float,
        seed: int,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.metric, self.feature, self.on, self.q, self.seed = metric, feature, on, q, seed
        self.gap = gap_to_explain(case, metric, feature, on, q=q, seed=seed)
        self.extremes = extremes_of(case, metric, feature, on)
        self.case = self.tracing = self.predicting = case
        self.by_refit = False
        self.notes = list(self.gap.notes)
        self.complete = True
        self.scored, self.tries = False, 0
        self.agreement = float("nan")
        self.tried = np.empty(0)
        self.rules: list[Rule] = []
        self.subsets: list[Subset] = []
        self._progress, self._cancelled = progress, cancelled

    def _report(self, share: float, what: str) -> None:
        if self._progress is not None:
            self._progress(share, what)
        if self._cancelled is not None and self._cancelled():
            raise StoppedError

    def trace(self) -> None:
        """Trace the gap to the training records."""
        self._report(0.0, "Preparing the model")
        try:
            self.case = self.predicting = self.tracing = prepare(self.case)
            with attributor_of(self.case) as attributor:
                close = fits_too_closely(attributor)
            self.tracing = surrogate(self.case, trees=True) if close else self.case
            found = self._traced()
        except NotSupportedError as error:
            self._give_up_predicting(error)
            found = self._traced()
        if self.tracing is not self.case:
            kind = "logistic regression" if self.by_refit else "forest"
            self.notes.append(f"Rules were searched for and tested by a {kind} on the same columns.")
        if found.kept_back is None:
            self.notes.append("There are too few rows to keep half of them back, so no rule was tested.")
        group = self.case.groups(self.feature, "train").codes[self.case.retained]
        self.evidence = Evidence.of(found, group, self.case.train_codes[self.case.retained])

    def _give_up_predicting(self, reason: NotSupportedError) -> None:
        """Predict by a logistic regression in the model's place, and measure by training the model again."""
        if self.by_refit:
            raise reason
        self.by_refit = True
        self.predicting = surrogate(self.case)
        if self.tracing is self.case:
            self.tracing = self.predicting
        self.notes.append(
            f"Rules are predicted by a logistic regression and measured by training the model again. {reason}"
        )

    def _traced(self) -> Trace:
        self._report(0.02, "Tracing the gap to records")
        with attributor_of(self.tracing) as attributor:
            self.fitted = attributor.fitted(self.tracing)
            return trace(attributor, self.tracing, self.extremes, self.on, self.seed)

    def search(self, binned: Binned, counts: tuple[int, int], max_predicates: int) -> None:
        """Search the lattice, and take what was found; where it is stopped, what was found by then."""
        self.notes += binned.notes
        self.counts = counts
        work = Search(binned, self.evidence.terms, counts, max_predicates, self.evidence.p_values)
        try:
            work.run(lambda share, what: self._report(0.1 + 0.4 * share, what))
        finally:
            self._take(Overlap(binned, work.found(), self.evidence.terms[:, HELPFUL]), counts)
        if not len(self.tried):
            raise InputError(
                f"Some rule must hold for {counts[0]:,} to {counts[1]:,} of the {self.case.n_retained:,} records. None of "
                f"{len(binned.conditions):,} conditions does, alone or together; widen the support bounds, or give other bins or columns."
            )

    def _take(self, overlap: Overlap, counts: tuple[int, int]) -> None:
        binned, found = overlap.binned, overlap.found
        self.notes += [
            f"Of the rules of {level} conditions only the most promising were tried." for level in found.limited
        ]
        labels = Labels(self.fitted, len(binned.conditions)) if self.fitted is not None else None
        table = Held(self.case.train[self.case.retained])
        rules = rules_to_score(overlap, labels, table, self.evidence, counts)
        p_values = np.array([rule.p_value for rule in rules])
        self.tried = np.concatenate([found.tried, p_values])
        rates = discovery_rates(p_values, self.tried)
        self.rules = [replace(rule, q_value=float(rate)) for rule, rate in zip(rules, rates, strict=True)]

    def score(self) -> None:
        """Predict what removing every rule's records together does, and put the rule to show of every cause first."""
        try:
            self._predict()
        except NotSupportedError as error:
            self._give_up_predicting(error)
            self._predict()
        able = sorted((one for one in self.rules if not np.isnan(one.closes)), key=lambda one: -one.closes)
        best = [
            self._to_show([one for one in able if one.cause == cause])
            for cause in dict.fromkeys(one.cause for one in able)
        ]
        apart: list[Rule] = []
        for one in sorted(best, key=lambda one: -one.merit(self.case.n_retained)):
            same = [other for other in apart if one.shares_cause(other, self.evidence.terms[:, HELPFUL], SAME)]
            if not any(other in _as_odd([*same, one]) for other in same):
                apart = [other for other in apart if other not in same] + [one]
        best = sorted(apart, key=lambda one: -one.closes)
        self.rules = best + [one for one in able if one not in best]
        self.scored = True

    def _to_show(self, rules: list[Rule]) -> Rule:
        """Return the one to show of rules about one cause: among those that do much the same, labels decide, where they say anything."""
        n_rows, most = self.case.n_retained, rules[0].closes
        alike = [one for one in rules if one.closes >= ALIKE * most] or rules[:1]
        if max(one.oddity for one in alike) > 0.0:
            return min(_as_odd(alike), key=lambda one: (len(one.conditions), -one.merit(n_rows)))
        enough = [one for one in rules if one.closes >= NEARLY * most] or rules[:1]
        return max(enough, key=lambda one: one.merit(n_rows))

    def _predict(self) -> None:
        outcome = Outcome.of(self.predicting, self.metric, self.feature, self.on)
        now, steady = outcome.value(), Steady(outcome, self.extremes)
        for first in range(0, len(self.rules), AT_ONCE):
            self._report(0.5 + 0.1 * first / len(self.rules), "Predicting what removing each rule's records does")
            part = self.rules[first : first + AT_ONCE]
            groups = [np.flatnonzero(self.case.retained)[one.rows] for one in part]
            with attributor_of(self.predicting) as attributor:
                scores = attributor.group_scores(self.predicting, groups, self.on)
            self.rules[first : first + AT_ONCE] = [
                replace(one, predicted=float(change), closes=float(closing))
                for one, change, closing in zip(part, outcome.values(scores) - now, steady.closes(scores), strict=True)
            ]

    def look(self, seconds: float) -> None:
        """Really remove the records of the best-scored rules from as many of a forest's trees as the time allows."""
        best = self.rules[:LOOKED_AT]
        groups = [np.flatnonzero(self.case.retained)[one.rows] for one in best]
        doing = "Removing the best rules' records from some of the trees"
        with attributor_of(self.predicting) as attributor:
            found = attributor.measured(
                self.predicting,
                self.metric,
                self.feature,
                self.on,
                groups,
                ENOUGH,
                LOOKED_FOR * seconds,
                lambda share: self._report(0.6 + 0.2 * share, doing),
            )
        if found is None or not best:
            return
        if not found.n_trees:
            self.notes.append(
                "There was no time to remove the best rules' records from trees, so their changes are predicted."
            )
            return
        self.rules[:LOOKED_AT] = [
            replace(one, predicted=float(change), measured=True)
            for one, change in zip(best, found.changes, strict=True)
        ]
        self.agreement = found.correlation
        told = (
            ""
            if np.isnan(found.correlation)
            else f"; their expected correlation with the changes of removing them from all trees is {found.correlation:.2f}"
        )
        self.notes.append(
            f"The changes predicted for the {len(best)} best-scored rules come from removing their records from {found.n_trees} of "
            f"the {found.of_trees} trees{told}."
        )

    def confirm(self, top_k: int, seconds: float) -> None:
        """Remove the records of the best rules, one rule after the other, until enough are found to narrow the gap."""
        start, method = time.monotonic(), removal_method(self.case)
        steady = Steady(Outcome.of(self.case, self.metric, self.feature, self.on), self.extremes)
        shown: list[Rule] = []
        for rule in self.rules:
            if len(shown) == top_k or self.tries == ATTEMPTS * top_k:
                break
            if any(rule.shares_cause(one, self.evidence.terms[:, HELPFUL], SAME) for one in shown):
                continue
            if self.by_refit and self.tries and time.monotonic() - start > seconds:
                self.notes.append(f"{self.tries} rules were measured within {seconds:g} s.")
                break
            self._report(0.8 + 0.2 * len(shown) / top_k, "Removing the records of the best rules")
            self.tries += 1
            survives = rule.q_value <= self.q and self.gap.p_value <= self.q
            try:
                subset = confirm(rule, steady, survives=survives, method=method, seed=self.seed)
            except InputError as error:
                self.notes.append(f"Not confirmed, where {rule_text(rule.conditions)}: {error}")
                continue
            if subset is not None:
                self.subsets.append(subset)
                shown.append(rule)
        if not shown:
            self._note_none()
        self._report(1.0, "Done")

    def _note_none(self) -> None:
        """Note that no rule is shown, and what else there is to try."""
        why = f"the {self.tries} best were really removed" if self.tries else "none is predicted to"
        self.notes.append(
            f"No rule that holds for {self.counts[0]:,} to {self.counts[1]:,} of the {self.case.n_retained:,} records narrows the gap: of "
            f"{len(self.tried):,} tried {why}. Widen the support bounds, allow more conditions, or give other bins or columns."
        )

    def stop(self) -> None:
        """Note that the user stopped before the end; of rules that are scored by then the best is still confirmed, where that is quick."""
        self.complete = False
        self.notes.append("The search was stopped; what was found by then is here.")
        if self.scored and not self.tries and not self.by_refit and removal_method(self.case) != "refit":
            self._cancelled = None
            self.confirm(1, 0.0)

    def explanation(self) -> Explanation:
        """Return what is known."""
        found = int((discovery_rates(self.tried, self.tried) <= self.q).sum()) if self.gap.p_value <= self.q else 0
        return Explanation(
            subsets=tuple(
                sorted(self.subsets, key=lambda one: (one.levels_down, float(badness(self.metric, one.after))))
            ),
            metric=self.metric,
            sensitive_feature=self.feature,
            on=self.on,
            gap=self.gap.value,
            gap_p_value=self.gap.p_value,
            n_tried=len(self.tried),
            n_discoveries=found,
            q=self.q,
            candidates=self._candidates(),
            agreement=self.agreement,
            complete=self.complete,
            notes=tuple(self.notes),
        )

    def _candidates(self) -> pd.DataFrame:
        sign = -1.0 if metric_of(self.metric).better == "lower" else 1.0
        rows = [
            (
                rule_text(one.conditions),
                len(one.rows),
                len(one.rows) / self.case.n_retained,
                sign * float(one.sums[GAIN]),
                one.predicted,
                one.p_value,
                one.q_value,
                one.conditions,
            )
            for one in sorted(self.rules, key=lambda one: (not one.measured, -sign * one.predicted))
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))


def _as_odd(rules: list[Rule]) -> list[Rule]:
    """Return the rules whose records' labels are nearly as odd as the oddest ones'."""
    oddest = max(one.oddity for one in rules)
    return [one for one in rules if one.oddity >= min(AS_ODD * oddest, oddest - SURE)]
