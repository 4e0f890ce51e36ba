"""The result of the guardrails: a verdict, a sentence, and the tables behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.metrics.compared import ALL_RECORDS
from core.metrics.guardrails.verdict import Verdict
from core.shown import Shown
from core.words import count, where_said

VERDICT_WORDS = {
    "fairer": "fairer",
    "fairer_by_levelling_down": "fairer by levelling down",
    "mixed": "mixed",
    "less_fair": "less fair",
    "no_clear_change": "no clear change",
}
"""Verdicts as pages and the command line write them."""
ASKS_AGAIN = frozenset({"fairer_by_levelling_down", "less_fair"})
"""Verdicts that a removal has to be confirmed for."""
GAP = "(gap)"


@dataclass(frozen=True, repr=False)
class Guardrails(Shown):
    """Who pays for a change, and whether it is fairer.

    Parameters
    ----------
    verdict : {"fairer", "fairer_by_levelling_down", "mixed", "less_fair", "no_clear_change"}
        The first that holds; docs/METHODS.md has the rule.
    said : tuple of str
        The parts of `sentence`.
    metric, sensitive_feature, on : str
        The gap, by whose groups, and on which rows.
    n : int
        Rows looked at.
    groups : DataFrame
        Indexed by (metric, sensitive_feature, group): every group's rate ``before``, ``after``, ``change`` with its paired interval ``low``,
        ``high``, ``p_value``, ``n`` rows the rate is taken over, ``q_value`` (NaN under 30 rows, which are not tested), ``direction`` and
        ``clear``: beyond chance, and at least half a percentage point or a tenth of a rare outcome.
    metrics : DataFrame
        Gaps and rates over all rows as `compare` gives them, with ``q_value`` and ``clear``. The chosen gap is tested on its own.
    worse, better : DataFrame
        What is clear, of groups and of metrics, indexed by (metric, sensitive_feature, group).
    people : DataFrame
        The test rows decided otherwise, by id: ``decision`` ("newly refused", "newly served"), true ``label``, groups.
    counts : DataFrame
        Their numbers, indexed by (sensitive_feature, group, labelled_good).
    removed : DataFrame
        Training records removed, indexed by (sensitive_feature, group): ``n`` before, ``removed``, ``share``.
    n_tested : int
        Changes under one correction.
    notes : tuple of str
        What was left out, a sentence each.
    where : str
        The condition that chose the rows among those of `on`; empty where all are looked at.
    """

    verdict: Verdict
    said: tuple[str, ...]
    metric: str
    sensitive_feature: str
    on: str
    n: int
    groups: pd.DataFrame
    metrics: pd.DataFrame
    people: pd.DataFrame
    counts: pd.DataFrame
    removed: pd.DataFrame
    n_tested: int
    notes: tuple[str, ...] = ()
    where: str = ""

    @property
    def sentence(self) -> str:
        """The verdict with the gap, both ends' moves and the numbers of people."""
        return " ".join(self.said)

    @property
    def worse(self) -> pd.DataFrame:
        """Levels and metrics that got worse beyond chance."""
        return self._clear("worse")

    @property
    def better(self) -> pd.DataFrame:
        """Levels and metrics that got better beyond chance."""
        return self._clear("better")

    @property
    def asks_again(self) -> bool:
        """Whether a person should be asked once more before this is done."""
        return self.verdict in ASKS_AGAIN

    def lines(self) -> list[str]:
        """Say the verdict and on which rows it holds, then the sentence by its parts."""
        return [
            f"Guardrails: {VERDICT_WORDS[self.verdict]}, on {count(self.n, f'{self.on} row')}{where_said(self.where)}",
            *self.said,
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return what changed as one table: what is clear first, the worse before the better.

        Returns
        -------
        DataFrame
            Columns ``metric``, ``sensitive_feature``, ``group`` ("(gap)" for what compares groups, "(all)" for rates over all rows), and those of
            `groups`.
        """
        table = self._changes()
        turn = np.select([table["clear"] & (table["direction"] == way) for way in ("worse", "better")], [0, 1], 2)
        return table.iloc[np.argsort(turn, kind="stable")].reset_index()

    def _changes(self) -> pd.DataFrame:
        """Return the rows of `metrics` and of `groups`."""
        of = self.metrics.index.get_level_values("sensitive_feature")
        whom = [ALL_RECORDS if name == ALL_RECORDS else GAP for name in of]
        metrics = self.metrics.set_index(pd.Index(whom, name="group"), append=True)
        return pd.concat([metrics, self.groups])[[*self.groups.columns]]

    def _clear(self, direction: str) -> pd.DataFrame:
        table = self._changes()
        return table[table["clear"].astype(bool) & (table["direction"] == direction)]
