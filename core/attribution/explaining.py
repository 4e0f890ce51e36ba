"""The steps of explaining a gap: is there one, which rules are there, what would each do, what does each really do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.attribution.binning import Binned
from core.attribution.confirmation import Claim, confirm, removal_method
from core.attribution.evidence import Evidence
from core.attribution.explanation import Explanation, Subset, badness, rule_text
from core.attribution.gap import gap_to_explain
from core.attribution.halves import gains
from core.attribution.lattice import COUNT, GAIN, Found, Search
from core.attribution.overlap import describes, distinct, without_repeats
from core.attribution.registry import attributor_of
from core.attribution.surrogate import surrogate
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.metrics.catalog import metric_of
from core.numerics.false_discovery import discovery_rates
from core.unlearning.base import Progress
from core.unlearning.registry import prepare

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

SCORED = 100
"""So many of the rules that differ are scored by the effect of the whole group."""
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
        self.case = self.predicting = case
        self.by_refit = False
        self.gap = gap_to_explain(case, metric, feature, on, q=q, seed=seed)
        self.notes = list(self.gap.notes)
        self.complete = True
        self.tried = np.empty(0)
        self.claims: list[Claim] = []
        self.summed: list[float] = []
        self.subsets: list[Subset] = []
        self._progress, self._cancelled = progress, cancelled

    def _report(self, share: float, what: str) -> None:
        if self._progress is not None:
            self._progress(share, what)
        if self._cancelled is not None and self._cancelled():
            raise StoppedError

    def trace(self) -> Evidence:
        """Trace the gap to the training records; where nothing predicts removals, by a logistic regression in the model's place."""
        self._report(0.0, "Preparing the model")
        try:
            self.case = self.predicting = prepare(self.case)
            gain, kept_back = self._gains()
        except NotSupportedError:
            self.by_refit, self.predicting = True, surrogate(self.case)
            gain, kept_back = self._gains()
            self.notes.append(
                "Nothing predicts removals for this model: rules were chosen and tested by a logistic regression on the same columns, "
                "and measured by refitting the model."
            )
        if kept_back is None:
            self.notes.append("There are too few rows to keep half of them back, so no rule was tested.")
        case = self.case
        group = case.groups(self.feature, "train").codes[case.retained]
        return Evidence.of(gain, kept_back, group, case.train_codes[case.retained])

    def _gains(self) -> tuple[Floats, Floats | None]:
        self._report(0.02, "Tracing the gap to records")
        with attributor_of(self.predicting) as attributor:
            return gains(attributor, self.predicting, self.metric, self.feature, self.on, self.seed)

    def search(self, evidence: Evidence, binned: Binned, counts: tuple[int, int], max_predicates: int) -> None:
        """Search the lattice, and take the distinct ones of the rules found; where it is stopped, of those found by then."""
        self.notes += binned.notes
        work = Search(binned, evidence.values, counts, max_predicates, evidence.p_values)
        try:
            work.run(lambda share, what: self._report(0.1 + 0.4 * share, what))
        finally:
            self._take(binned, work.found())
        if not len(self.tried):
            raise InputError(
                f"Some rule must hold for {counts[0]:,} to {counts[1]:,} of the {self.case.n_retained:,} records. None of "
                f"{len(binned.conditions):,} conditions does, alone or together; widen the support bounds, or give other bins or columns."
            )

    def _take(self, binned: Binned, found: Found) -> None:
        self.notes += [f"Of the rules of {level} conditions only the most promising were tried." for level in found.limited]
        self.tried = found.tried
        chosen = distinct(binned, found, SCORED)
        p_values = found.p_values[chosen]
        q_values = discovery_rates(p_values, found.tried)
        retained = np.flatnonzero(self.case.retained)
        sign = -1.0 if metric_of(self.metric).better == "lower" else 1.0
        self.summed = [sign * float(found.sums[place, GAIN]) for place in chosen]
        self.claims = [
            Claim(
                conditions=tuple(binned.conditions[one] for one in found.rules[place] if one >= 0),
                positions=retained[describes(binned, found.rules[place])],
                predicted=float("nan"),
                p_value=float(p),
                q_value=float(rate),
                survives=bool(rate <= self.q and self.gap.p_value <= self.q),
            )
            for place, p, rate in zip(chosen, p_values, q_values, strict=True)
        ]

    def score(self) -> None:
        """Predict the effect of every distinct rule's records together, and put the best first."""
        for start in range(0, len(self.claims), AT_ONCE):
            self._report(0.5 + 0.2 * start / len(self.claims), "Predicting what removing each rule's records does")
            part = self.claims[start : start + AT_ONCE]
            with attributor_of(self.predicting) as attributor:
                changes = attributor.group_changes(
                    self.predicting, self.metric, self.feature, self.on, [one.positions for one in part]
                )
            self.claims[start : start + AT_ONCE] = [
                replace(one, predicted=float(change)) for one, change in zip(part, changes, strict=True)
            ]
        after = badness(self.metric, [self.gap.value + one.predicted for one in self.claims])
        order = np.argsort(after, kind="stable")
        self.claims, self.summed = [self.claims[one] for one in order], [self.summed[one] for one in order]

    def confirm(self, top_k: int, seconds: float) -> None:
        """Remove the records of the best rules, one rule after the other, until enough are found to narrow the gap."""
        start, method = time.monotonic(), removal_method(self.case)
        able = [one for one in self.claims if not np.isnan(one.predicted)]
        claims = [able[one] for one in without_repeats([one.positions for one in able], len(self.case.retained))]
        for number, claim in enumerate(claims[: ATTEMPTS * top_k]):
            if self.by_refit and number and time.monotonic() - start > seconds:
                self.notes.append(f"{number} rules were measured by refitting within {seconds:g} s.")
                break
            self._report(0.7 + 0.3 * len(self.subsets) / top_k, "Removing the records of the best rules")
            try:
                subset = confirm(self.case, claim, self.metric, self.feature, self.on, method=method, seed=self.seed)
            except InputError as error:
                self.notes.append(f"Not confirmed, where {rule_text(claim.conditions)}: {error}")
                continue
            if subset is not None:
                self.subsets.append(subset)
            if len(self.subsets) == top_k:
                break
        self._report(1.0, "Done")

    def stop(self) -> None:
        """Note that the user stopped before the end."""
        self.complete = False
        self.notes.append("The search was stopped; what was found by then is here.")

    def explanation(self) -> Explanation:
        """Return what is known."""
        survivors = int((discovery_rates(self.tried, self.tried) <= self.q).sum()) if self.gap.p_value <= self.q else 0
        return Explanation(
            subsets=tuple(sorted(self.subsets, key=lambda one: float(badness(self.metric, one.after)))),
            metric=self.metric,
            sensitive_feature=self.feature,
            on=self.on,
            gap=self.gap.value,
            gap_p_value=self.gap.p_value,
            n_tried=len(self.tried),
            n_discoveries=survivors,
            q=self.q,
            candidates=self._candidates(),
            complete=self.complete,
            notes=tuple(self.notes),
        )

    def _candidates(self) -> pd.DataFrame:
        rows = [
            (
                rule_text(one.conditions),
                len(one.positions),
                len(one.positions) / self.case.n_retained,
                summed,
                one.predicted,
                one.p_value,
                one.q_value,
                one.conditions,
            )
            for one, summed in zip(self.claims, self.summed, strict=True)
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))
