"""The case: a fitted model, the tables it was trained and tested on, and their roles."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case import door, scoring
from core.case.arguments import check_flag
from core.case.data import CaseData, check_data
from core.case.edits import Edits
from core.case.frozen import frozen, frozen_columns, handed_out
from core.case.group_thresholds import lean
from core.case.identity import digest_of_case, digest_of_content, digest_of_data
from core.case.looks import Look, Looks
from core.case.memo import Memo
from core.case.naming import names_of_test_rows
from core.case.own_decisions import check_decisions
from core.case.prepared import Prepared, SavedState, ScoresOf
from core.case.readings.conform import rows_of_both
from core.case.roles import AtRate, Roles
from core.case.scored import NarrowedRows
from core.case.training import TrainingRecords
from core.case.unchanged import ModelMark
from core.case.unreadable import check_readable
from core.errors import FrozenError, InputError, InputTypeError
from core.typing import Bools

WAYS_OUT = "case.with_threshold(...) and case.replace(...) give another case"
T = TypeVar("T")


class Case(TrainingRecords, NarrowedRows):
    """A fitted model with its training and test tables; frozen, and checked once.

    Removing records gives a new case that shares every array with this one: what differs is the mask `retained` and the model.

    Parameters
    ----------
    model : estimator
        Fitted scikit-learn classifier or pipeline, or fairlearn's ThresholdOptimizer around one, fitted for a sensitive feature.
    train : DataFrame
        The rows the model was fitted on, in their order.
    test : DataFrame
        Rows the model has not seen, with labels.
    roles : Roles
        What each column is for.
    threshold : float, AtRate or None
        When a score becomes the decision "positive". None: as `model.predict` does with two classes, row for row, and with more where the
        class is likelier than all others together; a number: scores equal to it or above; `AtRate(0.02)`: the top 2% of scores.
    confirm : bool
        Whether to split `test` in two halves, one to explore and one to confirm. False: everything explores, nothing confirms.
    seed : int, optional
        Seed of that split; None follows from the labels and groups, so that the same table and roles are always split alike.
    test_confirm : DataFrame, optional
        Rows to confirm on; then `test` is the explore part.
    retained : ndarray of bool, shape (n_train,), optional
        Which training records the model knows; None is all of them.

    Raises
    ------
    InputError
        If a table, the model or a role does not fit; the sentence names what does not.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0] * 5, "sex": ["f", "m"] * 10, "granted": [0, 0, 1, 1] * 5})
    >>> model = LogisticRegression().fit(table[["income"]], table["granted"])
    >>> case = Case(model, train=table, test=table, roles=Roles("granted", 1, 1, ["sex"]))
    >>> case.n_retained, case.features
    (20, ('income',))
    """

    __slots__ = ("__weakref__", "_data", "_mark", "_memo", "edits", "model", "prepared", "retained", "threshold")
    model: Any
    threshold: float | AtRate | None
    prepared: Prepared
    _mark: ModelMark
    _memo: Memo

    def __init__(
        self,
        model: Any,
        train: pd.DataFrame,
        test: pd.DataFrame,
        roles: Roles,
        threshold: float | AtRate | None = None,
        *,
        confirm: bool = True,
        seed: int | None = None,
        test_confirm: pd.DataFrame | None = None,
        retained: Bools | None = None,
    ) -> None:
        door.check_tables(train, test)
        door.check_model(model)
        if seed is not None:
            door.check_seed(seed)
        check_flag("confirm", confirm)
        held = None
        if test_confirm is not None:
            door.check_tables(train, test_confirm)
            held = np.arange(len(test) + len(test_confirm)) >= len(test)
            test = rows_of_both(test, test_confirm)
        elif not confirm:
            held = np.zeros(len(test), dtype=bool)
        model = lean(model)
        data = check_data(model, train, test, roles, held, seed)
        known = frozen(door.retained_rows(retained, len(train)))
        self._hold(data, model, scoring.checked_threshold(model, threshold), known)
        self.scores("explore")
        if threshold is None and len(self.classes) == 2 and not self.randomised:
            predicted = scoring.predicted_codes(model, self._rows_for_model("explore"), self.classes)
            check_decisions(model, predicted, self.decisions("explore"), self.pos_column)
        check_readable(model, self.X_train, self.X_test.iloc[self.rows("explore")], self.retained, self.record_ids)
        object.__setattr__(self, "_mark", ModelMark(model))  # once it was used: some remember what they were asked

    def _hold(
        self,
        data: CaseData,
        model: Any,
        threshold: float | AtRate | None,
        retained: Bools,
        edits: Edits | None = None,
        prepared: Prepared | None = None,
        memo: Memo | None = None,
        mark: ModelMark | None = None,
    ) -> Case:
        """Set every attribute, once."""
        setting = partial(object.__setattr__, self)
        setting("_data", data)
        setting("model", model)
        setting("threshold", threshold)
        setting("retained", retained)
        setting("edits", edits)
        setting("prepared", Prepared() if prepared is None else prepared)
        setting("_memo", Memo() if memo is None else memo)
        setting("_mark", mark)
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: other cases and results found with this one rely on it."""
        raise FrozenError(f"A case must stay as it was made. `{name}` cannot be set; {WAYS_OUT}.")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse, as setting does."""
        raise FrozenError(f"A case must stay as it was made. `{name}` cannot be deleted; {WAYS_OUT}.")

    def __getstate__(self) -> tuple[Any, ...]:
        """Give what a copy, or another process, needs of the case.

        Nothing that can be prepared again.
        """
        kept = self.prepared.lost_otherwise(self)
        return self._data, self.model, self.threshold, self.retained, self.edits, kept

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Take what `__getstate__` gave."""
        data, model, threshold, retained, edits, kept = state
        self._hold(data, model, threshold, frozen(retained), edits, Prepared(kept=kept), mark=ModelMark(model))

    def _another(self, **changes: Any) -> Case:
        """Return a case that differs from this one in some attributes.

        What was found with this one does not hold for it.
        """
        same = changes.get("model", self.model) is self.model
        kept = {
            "data": self._data,
            "model": self.model,
            "threshold": self.threshold,
            "retained": self.retained,
            "edits": self.edits,
            "mark": self._mark if same else ModelMark(changes["model"], self._mark),
        }
        return object.__new__(Case)._hold(**(kept | changes))

    def replace(
        self,
        model: Any,
        retained: Bools,
        prepared: Mapping[str, object] | None = None,
        scores: ScoresOf | None = None,
    ) -> Case:
        """Return a case with another model and other retained rows, sharing every array.

        Parameters
        ----------
        model : estimator
            The new fitted model.
        retained : ndarray of bool, shape (n_train,)
            Which training rows it knows.
        prepared : mapping of str to object, optional
            What an unlearner has at hand for the new case, by its name: `Unlearner.prepare` finds it there.
        scores : callable, optional
            Gives the scores of test rows, by their positions, quicker than the model does.
        """
        known = frozen(np.array(retained))
        return self._another(model=model, retained=known, prepared=Prepared(prepared, scores=scores))

    def with_edits(
        self,
        model: Any,
        edits: Edits | None,
        prepared: Mapping[str, object] | None = None,
        scores: ScoresOf | None = None,
    ) -> Case:
        """Return a case with a model fitted on the retained rows with other labels or weights.

        The rest is as for `replace`.
        """
        return self._another(model=model, edits=edits, prepared=Prepared(prepared, scores=scores))

    def keeping(self, kept: SavedState | None) -> Case:
        """Return the same case with what was saved beside it, from which an unlearner goes on."""
        return self._another(prepared=Prepared(kept=kept), memo=self._memo.only(lambda _: True))

    def with_threshold(self, threshold: float | AtRate | None) -> Case:
        """Return the same case with another decision threshold or alert capacity.

        What is prepared for one serves both.
        """
        memo = self._memo.only(lambda key: isinstance(key, tuple) and key[0] == "scores")
        checked = scoring.checked_threshold(self.model, threshold)
        return self._another(threshold=checked, prepared=self.prepared, memo=memo)

    def release(self) -> None:
        """Free what was prepared for the case and those that differ in their threshold only.

        It is made again when it is needed.
        """
        self.prepared.release(self)

    def with_confirm_rows(self, rows: Bools, seed: int | None = None) -> Case:
        """Return the same case with its test table split as `rows` says.

        True is kept for confirming.

        Parameters
        ----------
        rows : ndarray of bool, shape (n_test,)
        seed : int, optional
            The seed the split was made with, for the record.
        """
        rows = np.asarray(rows)
        if rows.dtype != np.bool_ or rows.shape != (len(self._data.test),) or rows.all():
            raise InputError(
                f"A split must name {len(self._data.test)} test rows and leave some to explore. Got {rows.shape} with {int(rows.sum())} to confirm."
            )
        data = replace(self._data, confirm=frozen(rows.copy()), split_seed=seed, looks=Looks(), memo=Memo())
        return self._another(data=data, prepared=self.prepared.for_other_rows()).with_scores_of(self)

    @property
    def as_opened(self) -> bool:
        """Whether the model is the one opened, with nothing removed and no label or weight changed."""
        return self.model is self._data.opened and self.edits is None and bool(self.retained.all())

    @property
    def looks(self) -> Looks:
        """The looks at the confirm rows so far, of all cases made from one another."""
        return self._data.looks

    def with_looks(self, seen: Iterable[Look]) -> Case:
        """Return the same case with the looks at its confirm rows that earlier sessions took."""
        data = replace(self._data, looks=Looks(seen))
        return self._another(data=data, prepared=self.prepared, memo=self._memo.only(lambda _: True))

    def looked_at(self, on: str, what: str) -> None:
        """Count a look at the confirm rows, where `on` takes them in.

        Describing the model as it was opened is no look.
        """
        if on != "explore" and not self.as_opened and self._data.confirm.any():
            self._data.looks.add(what)

    # -- tables and roles

    @property
    def train(self) -> pd.DataFrame:
        """The whole training table, removed rows included."""
        return handed_out(self._data.train)

    @property
    def test(self) -> pd.DataFrame:
        """The whole test table: explore and confirm rows."""
        return handed_out(self._data.test)

    @property
    def roles(self) -> Roles:
        """The roles of the columns."""
        return self._data.given_roles

    @property
    def features(self) -> tuple[str, ...]:
        """Columns the model gets, in its order."""
        return self._data.features

    @property
    def classes(self) -> npt.NDArray[Any]:
        """The model's classes, in its order."""
        return self._data.classes

    @property
    def pos_column(self) -> int:
        """Index of `pos_label` in `classes`."""
        return self._data.pos_column

    @property
    def test_ids(self) -> pd.Index[Any]:
        """Names of all test rows: their record ids where there are such, else original positions."""
        ids = self._data.memo.remember(
            "test ids", lambda: names_of_test_rows(self._data.test, self._data.roles.record_id)
        )
        return ids.view()

    @property
    def split_seed(self) -> int | None:
        """Seed of the split into explore and confirm.

        None where the parts were handed in or the split is off.
        """
        return self._data.split_seed

    @property
    def confirm_mask(self) -> Bools:
        """Which test rows are kept for confirming."""
        return self._data.confirm

    @property
    def X_train(self) -> pd.DataFrame:
        """The model's columns of the training table."""
        return handed_out(self._data.memo.remember("X_train", lambda: frozen_columns(self._data.train, self.features)))

    # -- identity

    @property
    def data_digest(self) -> str:
        """Hex digest of both tables, the roles, the split and the rows a condition chose."""
        return self._data.memo.remember("digest", self._digest_of_data)

    def _digest_of_data(self) -> str:
        found = digest_of_data(self.roles, (self._data.train, self._data.test), self.confirm_mask)
        return found if self._data.within is None else digest_of_content([found, self._data.within])

    @property
    def key(self) -> str:
        """Hex digest of the data, the model, the threshold, and the retained rows as edited.

        It changes with their labels and weights, too.
        """
        return self._remember(("key",), self._digest)

    def _digest(self) -> str:
        edited = () if self.edits is None else (self.edits.train_codes, self.edits.train_weight)
        return digest_of_case(self.data_digest, self.threshold, self.model, self.retained, *edited)

    def save(self, folder: str | Path) -> Path:
        """Write the case to a folder: case.toml, both tables as Parquet, the model as skops."""
        from core.files.cases.storage import save_case  # storage reads cases back, so it imports this module

        return save_case(self, folder)

    def check_unchanged(self) -> None:
        """Raise if the model was changed in place since the case was made.

        Costs a reading of the model's memory.

        Raises
        ------
        InputError
            Naming the model and the way out.
        """
        self._mark.check()

    def shares_tables(self, other: Case) -> bool:
        """Return whether both cases were made from one another, so that their rows are the same."""
        return self._data.test is other._data.test

    def _remember(self, key: Hashable, make: Callable[[], T]) -> T:
        return self._memo.remember(key, make)

    def __repr__(self) -> str:
        kind = type(self.model).__name__
        return f"Case({kind}, {self.n_retained:,} of {len(self.retained):,} training records, {len(self._data.test):,} test rows)"


def check_case(value: object) -> None:
    """Raise unless `value` is a case."""
    if isinstance(value, Case):
        return
    way = "its .case is one" if isinstance(getattr(value, "case", None), Case) else "make one with core.Case(...)"
    raise InputTypeError(f"What is looked at must be a core.Case. Got {type(value).__name__} instead; {way}.")
