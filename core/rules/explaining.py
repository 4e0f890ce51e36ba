"""The steps of explaining a gap: is there one, which rules are there, what would each do, what does each really do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from core.actions.influence import attributor_of
from core.actions.provenance import check_provenance
from core.actions.unlearn import prepare
from core.attribution.outcome import Outcome
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.metrics.catalog import metric_of
from core.numerics.statistics.false_discovery import discovery_rates
from core.rules.binning import Binned
from core.rules.causes import SAME, Overlap
from core.rules.choosing import shown_first
from core.rules.collecting import rules_to_score
from core.rules.conditions import Held
from core.rules.confirmation import confirm, removal_method
from core.rules.evidence import Evidence
from core.rules.explanation import Explanation, Subset, badness, percent, rule_text
from core.rules.extremes import extremes_of
from core.rules.gap import gap_to_explain
from core.rules.labels import Labels
from core.rules.looking import look_closely
from core.rules.rule import Rule
from core.rules.search import GAIN, HELPFUL, Search
from core.rules.steady import Steady
from core.rules.surrogate import fits_too_closely, surrogate
from core.rules.tracing import Trace, trace
from core.typing import Progress

AT_ONCE = 10
ATTEMPTS = 3
"""For every rule asked for, at most so many are removed to find it."""
COLUMNS = ("rule", "n_records", "support", "summed", "predicted", "p_value", "q_value", "conditions")


class StoppedError(Exception):
    """The user has asked to stop."""


class Explaining:
    """One gap being explained; `explanation` gives what is known so far.

    Parameters
    ----------
    case, metric, feature, on, q, seed, progress, cancelled
        As for `explain_gap`.
    least : float
        Share of the gap that removing a rule's records has to close.
    """

    def __init__(
        self,
        case: Case,
        metric: str,
        feature: str | tuple[str, ...],
        on: str,
        q: float,
        least: float,
        seed: int,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.metric, self.feature, self.on, self.q, self.least, self.seed = metric, feature, on, q, least, seed
        self.gap = gap_to_explain(case, metric, feature, on, q=q, seed=seed)
        self.extremes = extremes_of(case, metric, feature, on)
        self.case = self.tracing = self.predicting = case
        self.by_refit = False
        self.notes = list(self.gap.notes)
        self.complete = True
        self.n_left_out = 0
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
        self.rules = shown_first(self.rules, self.evidence.terms[:, HELPFUL], self.case.n_retained)
        self.scored = True

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
        outcome = Outcome.of(self.predicting, self.metric, self.feature, self.on)
        doing = "Removing the best rules' records from some of the trees"
        looked = look_closely(
            self.rules,
            outcome,
            self.feature,
            seconds,
            lambda share: self._report(0.6 + 0.2 * share, f"{doing}, {share:.0%} of all so far"),
        )
        self.rules, self.agreement = looked.rules, looked.agreement
        self.notes += looked.notes

    def confirm(self, top_k: int, seconds: float) -> None:
        """Remove the records of the best rules, one rule after the other, until enough narrow the gap; keep those that do by their share."""
        start, method = time.monotonic(), removal_method(self.case)
        steady = Steady(Outcome.of(self.case, self.metric, self.feature, self.on), self.extremes)
        narrowing: list[Rule] = []
        for rule in self.rules:
            if len(narrowing) == top_k or self.tries == ATTEMPTS * top_k:
                break
            if any(rule.shares_cause(one, self.evidence.terms[:, HELPFUL], SAME) for one in narrowing):
                continue
            if self.by_refit and self.tries and time.monotonic() - start > seconds:
                self.notes.append(f"{self.tries} rules were measured within {seconds:g} s.")
                break
            self._report(0.8 + 0.2 * len(narrowing) / top_k, "Removing the records of the best rules")
            self.tries += 1
            survives = rule.q_value <= self.q and self.gap.p_value <= self.q
            try:
                subset = confirm(rule, steady, survives=survives, method=method, seed=self.seed)
            except InputError as error:
                self.notes.append(f"Not confirmed, where {rule_text(rule.conditions)}: {error}")
                continue
            if subset is not None:
                narrowing.append(rule)
            if subset is None or subset.responsibility < self.least:
                self.n_left_out += 1
            else:
                self.subsets.append(subset)
        self._note_left_out()
        self._report(1.0, "Done")

    def _note_left_out(self) -> None:
        """Note how many rules were removed and are not shown; where none is shown, what else there is to try."""
        if self.subsets and check_provenance(self.case).status == "mismatch":
            self.notes.append(
                "The model does not come from these rows and labels, so that what a rule is said to be responsible for counts what training on them "
                "changes, too: train the model on them first (core.refit)."
            )
        if self.subsets and self.n_left_out:
            self.notes.append(
                f"Not shown: {self.n_left_out} of the {self.tries} rules whose records were removed, as that closed less than {percent(self.least)} of the gap."
            )
        if not self.subsets and self.complete:
            why = f"the {self.tries} best were really removed" if self.tries else "none is predicted to"
            self.notes.append(
                f"No rule that holds for {self.counts[0]:,} to {self.counts[1]:,} of the {self.case.n_retained:,} records narrows the gap by at least "
                f"{percent(self.least)}: of {len(self.tried):,} tried {why}. Widen the support bounds, allow more conditions, or give other bins or columns."
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
            n_left_out=self.n_left_out,
            min_responsibility=self.least,
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
            for one in sorted(self.rules, key=lambda one: (not one.looked_at, -sign * one.predicted))
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))
