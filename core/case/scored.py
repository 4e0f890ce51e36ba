"""The test rows of a case: splits, labels, groups, and what the model says of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case import scoring
from core.case.arguments import check_choice
from core.case.data import CaseData
from core.case.frozen import frozen, frozen_columns, handed_out
from core.case.group_thresholds import chances, decides_by_group, scorer
from core.case.groups import Grouping, Groups, intersect
from core.case.memo import Memo
from core.case.own_decisions import own_cut
from core.case.prepared import Prepared
from core.case.roles import AtRate
from core.conditions.where import rows_where
from core.errors import InputError, InputTypeError, NotSupportedError, listed, nearest
from core.typing import Bools, Floats, Positions
from core.words import count, where_said

SPLITS = ("explore", "confirm", "test")


def rows_within(rows: Positions, within: Bools, on: str, where: str) -> Positions:
    """Return the rows of a split that a condition chose, or raise where there are none."""
    found = rows[within[rows]]
    if len(found) == 0:
        raise InputError(
            f"A condition must leave rows to look at. None of the {len(rows):,} {on} rows has {where}; widen it, or take other rows by `on`."
        )
    return found


class ScoredRows:
    """The test rows of a case: labels, scores, decisions and groups."""

    __slots__ = ()
    _data: CaseData
    _memo: Memo
    model: Any
    threshold: float | AtRate | None
    prepared: Prepared

    @property
    def X_test(self) -> pd.DataFrame:
        """The model's columns of the test table."""
        return handed_out(
            self._data.memo.remember("X_test", lambda: frozen_columns(self._data.test, self._data.features))
        )

    def rows(self, on: str) -> Positions:
        """Return the positions in the test table of the split `on`: "explore", "confirm" or "test"."""
        check_choice("on", on, SPLITS)
        return self._data.memo.remember(("rows", on), lambda: frozen(self._rows(on)))

    def _rows(self, on: str) -> Positions:
        rows = self._rows_of_split(on)
        within = self._data.within
        return rows if within is None else rows_within(rows, within, on, self._data.where)

    def _rows_of_split(self, on: str) -> Positions:
        if on == "test":
            return np.arange(len(self._data.test))
        rows = np.flatnonzero(self._data.confirm == (on == "confirm"))
        if len(rows) == 0:
            raise InputError(
                f"The split {on!r} has no rows. The case was made without one; use on='explore' or on='test'."
            )
        return rows

    def y(self, on: str) -> Bools:
        """Return which labels of the split are `pos_label`."""
        rows = self.rows(on)
        return self._data.memo.remember(("y", on), lambda: frozen(self._data.test_codes[rows] == self._data.pos_column))

    def favorable(self, positive: Any) -> Any:
        """Return whether outcomes are good for the person, from whether they are `pos_label`.

        Of probabilities, their probability.
        """
        if self.favorable_is_positive:
            return positive
        return ~positive if positive.dtype == np.bool_ else 1.0 - positive

    @property
    def favorable_is_positive(self) -> bool:
        """Whether `favorable_label` is `pos_label`."""
        return self._data.favorable_is_positive

    @property
    def score_kind(self) -> str:
        """Whether scores are a "probability" or a "decision" value."""
        return scoring.score_kind(self.model)

    def scores(self, on: str) -> Floats:
        """Return the model's score of `pos_label` for every row of the split."""
        self.rows(on)
        return self._memo.remember(("scores", on), lambda: self._scores(on))

    def with_scores_of(self, other: ScoredRows) -> Self:
        """Take over scores of the explore rows from a case of the same model that has them."""
        rows, names = self.rows("explore"), [(("scores", on), ("rows", on)) for on in SPLITS]
        pairs = ((other._memo.known(scores), other._data.memo.known(theirs)) for scores, theirs in names)
        for known, theirs in pairs:
            if known is not None and np.isin(rows, theirs, assume_unique=True).all():
                return self._with_scores(frozen(known[np.searchsorted(theirs, rows)]))
        return self

    def _with_scores(self, scores: Floats) -> Self:
        self._memo.remember(("scores", "explore"), lambda: scores)
        return self

    def _scores(self, on: str) -> Floats:
        return frozen(self._scores_of(self.rows(on)))

    def _scores_of(self, rows: Positions) -> Floats:
        if self.prepared.scores is not None:
            return self.prepared.scores(rows)
        table = scoring.model_rows(self.model, self.X_test.iloc[rows])
        return scoring.positive_scores(self.model, table, self._data.pos_column)

    def _rows_for_model(self, on: str) -> Any:
        return scoring.model_rows(self.model, self.X_test.iloc[self.rows(on)])

    @property
    def randomised(self) -> bool:
        """Whether decisions are drawn at random, so that a row has the probability of a decision.

        A ThresholdOptimizer's are.
        """
        return decides_by_group(self.model)

    def cut(self, on: str) -> float:
        """Return the score at which decisions change on the split.

        An alert capacity is that of the whole split, also where a condition chooses among its rows.
        """
        return self._cut_among(self._scores_of(self._rows_of_split(on)) if self._by_capacity else self.scores(on))

    def cut_of(self, scores: Floats) -> float:
        """Return the score at which decisions change among `scores`.

        An alert capacity takes its share of these.
        """
        self._check_capacity()
        return self._cut_among(scores)

    @property
    def _by_capacity(self) -> bool:
        """Whether decisions here depend on other rows, which share an alert capacity."""
        return self._data.within is not None and isinstance(self.threshold, AtRate)

    def _check_capacity(self) -> None:
        if self._by_capacity:
            raise NotSupportedError(
                f"With an alert capacity, predicted decisions need the scores of all rows. Those where {self._data.where} alone were given; "
                "set a threshold for this, as case.with_threshold(case.cut('explore')) does."
            )

    def _cut_among(self, scores: Floats) -> float:
        if self.randomised:
            raise scoring.no_single_threshold()
        return scoring.cut(scores, self.threshold, own_cut(scorer(self.model), self._data.pos_column))

    def decisions(self, on: str) -> Any:
        """Return which rows of the split are predicted as `pos_label`.

        Where that is random, with what probability.
        """
        if not self.randomised:
            return self._memo.remember(("decisions", on), lambda: frozen(self._decisions(on)))
        groups = self._data.deciding_groups("test")[self.rows(on)]
        return self._memo.remember(
            ("decisions", on),
            lambda: frozen(chances(self.model, self._rows_for_model(on), groups)[:, self._data.pos_column]),
        )

    def _decisions(self, on: str) -> Bools:
        if not self._by_capacity:
            return self.decide(self.scores(on))
        split = self._rows_of_split(on)
        decided = scoring.decide(
            self._scores_of(split), self.threshold, own_cut(scorer(self.model), self._data.pos_column)
        )
        return decided[np.searchsorted(split, self.rows(on))]

    def deciding_groups(self, of: str) -> npt.NDArray[Any]:
        """Return the group of every row whose thresholds decide it, for a ThresholdOptimizer.

        Rows are those of the "train" or "test" table.
        """
        return self._data.deciding_groups(of)

    def decide(self, scores: Floats) -> Bools:
        """Return the decisions that the case's threshold makes of `scores`."""
        if self.randomised:
            raise scoring.no_single_threshold()
        self._check_capacity()
        return scoring.decide(scores, self.threshold, own_cut(scorer(self.model), self._data.pos_column))

    def sensitive_feature(self, feature: str | Iterable[str] | None = None) -> str | tuple[str, ...]:
        """Return the sensitive feature asked for: None is the first, a tuple an intersection.

        Raises
        ------
        InputError
            If it is not among the case's sensitive features.
        """
        known = tuple(self._data.roles.sensitive_features)
        if feature is None:
            return known[0]
        if not isinstance(feature, Iterable):
            raise InputTypeError(
                f"A sensitive feature must be a column's name, or a tuple of them. Got {feature!r}; the case knows {listed(known)}."
            )
        names = (feature,) if isinstance(feature, str) else tuple(feature)
        if not names:
            raise InputError(f"A sensitive feature must be named. Got none; the case knows {listed(known)}.")
        for name in names:
            if name not in known:
                raise InputError(
                    f"The sensitive feature must be one of {listed(known)}. Got {name!r}.{nearest(name, known)}"
                )
        return names[0] if len(names) == 1 else names

    def groups(self, feature: str | Iterable[str] | None = None, on: str = "explore") -> Groups:
        """Return the group of every row; `on` is "train" or a split of the test table."""
        chosen = self.sensitive_feature(feature)
        return self._data.memo.remember(("groups", chosen, on), lambda: self._groups(chosen, on))

    def _groups(self, feature: str | tuple[str, ...], on: str) -> Groups:
        if isinstance(feature, tuple):
            return intersect([self.groups(part, on) for part in feature])
        column = self._data.train[feature] if on == "train" else self._data.test[feature].iloc[self.rows(on)]
        return self._data.groupings[feature].apply(column)

    def grouping(self, feature: str) -> Grouping:
        """Return how the values of one sensitive feature become groups."""
        return self._data.groupings[str(self.sensitive_feature(feature))]


class NarrowedRows(ScoredRows):
    """The test rows of a case, all or those that a condition holds for."""

    __slots__ = ()

    def _another(self, **changes: Any) -> Self:
        raise NotImplementedError

    def only(self, where: str | None) -> Self:
        """Return the same case looking only at the test rows that a condition holds for.

        The model, the training records and the split stay; what is prepared for one serves both. An alert capacity still counts among all rows.

        Parameters
        ----------
        where : str or None
            A condition as rules print it, as "month >= '2025-07' and region = 'north'"; docs/METHODS.md has the grammar. On a case that
            has one already, both hold. None returns the case itself.

        Raises
        ------
        InputError
            If the condition cannot be read, names a column or value that the test table lacks, or leaves no rows.

        Examples
        --------
        >>> import core
        >>> case = core.load_case("credit").only("branch = 'north'")
        >>> case.described("test")
        "... test rows where branch = 'north'"
        """
        if where is None:
            return self
        within, said = rows_where(self._data.test, where), where.strip()
        if self._data.within is not None:
            within, said = within & self._data.within, f"{self.where} and {said}"
        data = replace(self._data, within=frozen(within), where=said, memo=Memo())
        found = self._another(data=data, prepared=self.prepared.for_other_rows())
        found.rows("test")
        return found

    def whole(self) -> Self:
        """Return the same case looking at all its test rows again."""
        if self._data.within is None:
            return self
        data = replace(self._data, within=None, where="", memo=Memo())
        return self._another(data=data, prepared=self.prepared.for_other_rows())

    @property
    def where(self) -> str:
        """The condition on the test rows that are looked at; empty where all are."""
        return self._data.where

    def described(self, on: str) -> str:
        """Say which rows a split has, as "1,000 explore rows where region = 'north'"."""
        return count(len(self.rows(on)), f"{on} row") + where_said(self.where)
