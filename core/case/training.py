"""The training records of a case.

Their ids, labels and weights, and which of them the model still knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case.data import CaseData
from core.case.edits import Edits
from core.case.frozen import frozen
from core.case.readings.conform import Reading
from core.case.records import find_records, find_subjects
from core.typing import Bools, Floats, Positions


class TrainingRecords:
    """The training records of a case: ids, labels, weights, and which are retained.

    Removed ones stay in the tables; `retained` says which the model knows, and `edits` where a label or weight is not the table's.
    """

    __slots__ = ()
    _data: CaseData
    retained: Bools
    edits: Edits | None

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The columns whose cells were read anew when the case was made, as the model learned them."""
        return self._data.readings

    @property
    def record_ids(self) -> pd.Index[Any]:
        """Ids of all training records, removed ones included."""
        return self._data.record_ids.view()

    @property
    def retained_ids(self) -> pd.Index[Any]:
        """Ids of the training records the model knows."""
        return self.record_ids[self.retained]

    @property
    def forgotten_ids(self) -> pd.Index[Any]:
        """Ids of the removed training records."""
        return self.record_ids[~self.retained]

    @property
    def n_retained(self) -> int:
        """Number of training records the model knows."""
        return int(np.count_nonzero(self.retained))

    @property
    def subject_ids(self) -> pd.Index[Any] | None:
        """The subject of every training record, or None where no column names one."""
        column = self._data.roles.subject_id
        return None if column is None else pd.Index(self._data.train[column], name=column)

    @property
    def train_codes(self) -> Positions:
        """Each training label's index into `classes`, edits included."""
        return self._trained_on.train_codes

    @property
    def table_labels(self) -> tuple[Positions, Floats | None]:
        """Labels, as indices into `classes`, and weights of the training table before any edit."""
        return self._data.train_codes, self._data.train_weight

    @property
    def _trained_on(self) -> CaseData | Edits:
        return self._data if self.edits is None else self.edits

    @property
    def y_train(self) -> Bools:
        """Which training labels are `pos_label`."""
        return self._trained_on.memo.remember("y_train", lambda: frozen(self.train_codes == self._data.pos_column))

    @property
    def train_labels(self) -> npt.NDArray[Any]:
        """Training labels, as the model's classes, edits included."""
        return self._trained_on.memo.remember("labels", lambda: frozen(self._data.classes[self.train_codes]))

    @property
    def train_weight(self) -> Floats | None:
        """Training weights, edits included; None where no column gives them."""
        return self._trained_on.train_weight

    def positions(self, ids: Iterable[Any]) -> Positions:
        """Return where retained records stand in the training table.

        Raises
        ------
        InputError
            If an id is unknown, given twice, or removed already.
        """
        return find_records(self.record_ids, self.retained, ids)

    def positions_of_subjects(self, subjects: Iterable[Any]) -> Positions:
        """Return where all retained records of some subjects stand in the training table.

        Raises
        ------
        InputError
            If no column names subjects, or a subject has no retained record.
        """
        return find_subjects(self.subject_ids, self.retained, subjects)
