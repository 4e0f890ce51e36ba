"""Scores without the records of rules, each predicted once however often it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from core.actions.influence import attributor_of
from core.case.case import Case
from core.typing import Floats, Positions, Progress, Singles

AT_ONCE = 64
FEW = 8_000_000
"""Numbers that are worth keeping with a result; the others are predicted anew where they are asked for again."""


class Effects:
    """Scores of a split without groups of records, as the case's family predicts them.

    Parameters
    ----------
    case : Case
        Prepared; its attributor predicts.
    on : str
        The split.
    """

    def __init__(self, case: Case, on: str) -> None:
        self.case, self.on = case, on
        self._retained = np.flatnonzero(case.retained)
        self._known: dict[bytes, Singles] = {}

    def scores(self, groups: Sequence[Positions], report: Progress) -> Floats:
        """Return the scores without each group, shape (n_groups, n_rows).

        NaN for one that cannot go.

        Parameters
        ----------
        groups : sequence of ndarray of int
            Records, counted among the retained ones.
        report : callable
            Called with the share done and what is being done; may raise to stop. What is known by then stays known.

        Raises
        ------
        NotSupportedError
            If the case's family cannot tell.
        """
        keys = [np.asarray(group, dtype=np.int32).tobytes() for group in groups]
        new = [place for place, key in enumerate(keys) if key not in self._known]
        for start in range(0, len(new), AT_ONCE):
            report(start / len(new), f"Predicting what removing each of {len(groups):,} groups of records does")
            block = new[start : start + AT_ONCE]
            with attributor_of(self.case) as attributor:
                found = attributor.group_scores(self.case, [self._retained[groups[place]] for place in block], self.on)
            self._known.update({keys[place]: row for place, row in zip(block, found.astype(np.float32), strict=True)})
        n_rows = len(self.case.rows(self.on))
        return np.array([self._known[key] for key in keys], dtype=np.float64).reshape(len(keys), n_rows)

    def kept(self) -> Effects:
        """Return the effects to keep for later: of many groups those first asked for.

        Searches on other rows ask for them, too.
        """
        most = FEW // max(len(self.case.rows(self.on)), 1)
        if len(self._known) <= most:
            return self
        found = Effects(self.case, self.on)
        found._known = dict(islice(self._known.items(), most))
        return found
