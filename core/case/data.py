"""Data that all cases made from one another share.

Both tables, checked once, and what was derived from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.case import door
from core.case.frozen import frozen, frozen_table, marked
from core.case.group_thresholds import GroupsOf, GroupSource, decides_by_group, group_source, scorer
from core.case.groups import Grouping, Groups, intersect, make_grouping
from core.case.looks import Looks
from core.case.memo import Memo
from core.case.readings.conform import Reading, conformed
from core.case.readings.learned import learned_of
from core.case.roles import Roles
from core.case.scoring import model_rows
from core.case.splits import seed_of, split_test
from core.errors import InputError, InputTypeError
from core.typing import Bools, Floats, Positions


@dataclass(frozen=True, eq=False)
class CaseData:
    """Tables, roles and digests that all cases made from one another share; never changed."""

    train: pd.DataFrame
    test: pd.DataFrame
    roles: Roles
    features: tuple[str, ...]
    classes: npt.NDArray[Any]
    pos_column: int
    favorable_is_positive: bool
    record_ids: pd.Index[Any]
    train_codes: Positions
    test_codes: Positions
    train_weight: Floats | None
    confirm: Bools
    split_seed: int | None
    opened: Any
    """The model as opened, before anything was removed."""
    looks: Looks
    groupings: dict[str, Grouping]
    decides_for: GroupSource | None = None
    within: Bools | None = None
    """The test rows looked at; None is all."""
    where: str = ""
    """The condition that chose them."""
    readings: tuple[Reading, ...] = ()
    memo: Memo = field(default_factory=Memo)

    def __setstate__(self, kept: dict[str, Any]) -> None:
        """Take what was pickled, and freeze it again."""
        for value in kept.values():
            if isinstance(value, pd.DataFrame):
                marked(value)
            elif isinstance(value, np.ndarray):
                frozen(value)
        self.__dict__.update(kept)

    @property
    def given_roles(self) -> Roles:
        """The roles, to hand out: bins and days are dictionaries, so everybody gets their own."""
        return self.roles.with_() if (self.roles.bins or self.roles.ages_on) else self.roles

    def deciding_groups(self, of: str) -> npt.NDArray[Any]:
        """Return the group of every row whose thresholds decide it, for models that have such.

        Rows are those of the "train" or "test" table.
        """
        source = self.decides_for
        if source is None:
            raise InputError(
                "Only a ThresholdOptimizer has thresholds of groups. The case was made with another model."
            )
        table = self.train if of == "train" else self.test
        return self.memo.remember(
            ("deciding groups", of), lambda: frozen(np.array(source.values(table, _groups_of(self.groupings))))
        )


def check_data(
    model: Any, train: pd.DataFrame, test: pd.DataFrame, roles: Roles, held: Bools | None, seed: int | None
) -> CaseData:
    """Check both tables, the model and the roles against one another, once.

    What cases share is derived from them.

    `held` says which test rows are kept for confirming; where it is None they are drawn, with `seed` or, without one, by the content.
    """
    if not isinstance(roles, Roles):
        raise InputTypeError(
            f"The roles must be core.Roles. Got {type(roles).__name__} instead; write core.Roles(...)."
        )
    features = door.resolve_features(scorer(model), train, roles)
    door.check_columns(test, features, what="Every column the model needs", where="test")
    classes = frozen(np.array(scorer(model).classes_))
    others = (*roles.sensitive_features, roles.record_id, roles.subject_id)
    train, test, readings = conformed(learned_of(model, features), train, test, roles.target, classes, others)
    train, test = frozen_table(train), frozen_table(test)
    pos_label = door.resolve_label(roles.pos_label, classes, role="pos_label")
    favorable = door.resolve_label(roles.favorable_label, classes, role="favorable_label")
    if len(classes) > 2 and favorable != pos_label:
        raise InputError(
            "With more than two label classes favorable_label must equal pos_label. Got two different ones; choose one outcome."
        )
    train_codes = door.labels_as_codes(train, roles.target, classes, where="training")
    test_codes = door.labels_as_codes(test, roles.target, classes, where="test")
    groupings = {}
    for feature in roles.sensitive_features:
        for table, where in ((train, "training"), (test, "test")):
            door.check_columns(table, (feature,), what="Every sensitive feature", where=where)
        groupings[feature] = make_grouping(roles, feature, train[feature], test[feature])
    door.check_named(roles, train, "training")
    if roles.subject_id is not None:
        door.check_columns(train, (roles.subject_id,), what="The subject id", where="training")
    if held is None:
        codes = [groupings[feature].apply(test[feature]).codes for feature in roles.sensitive_features]
        seed = seed_of(test_codes, codes) if seed is None else seed
        held = split_test(test_codes, codes, seed)
    else:
        seed = None
    source, weight = None, door.training_weights(train, roles.sample_weight)
    if decides_by_group(model):
        rows = model_rows(model, train[list(features)])
        source = group_source(
            model, train, test, tuple(roles.sensitive_features), _groups_of(groupings), lambda: (rows, train_codes)
        )
    return CaseData(
        train=train,
        test=test,
        roles=roles.with_(),
        features=features,
        classes=classes,
        pos_column=int(np.flatnonzero(classes == pos_label)[0]),
        favorable_is_positive=bool(favorable == pos_label),
        record_ids=door.unique_ids(train, roles.record_id),
        train_codes=frozen(train_codes),
        test_codes=frozen(test_codes),
        train_weight=None if weight is None else frozen(weight),
        confirm=frozen(held),
        split_seed=seed,
        opened=model,
        looks=Looks(),
        groupings=groupings,
        decides_for=source,
        readings=readings,
    )


def _groups_of(groupings: dict[str, Grouping]) -> GroupsOf:
    def groups_of(features: Sequence[str], table: pd.DataFrame) -> Groups:
        parts = [groupings[feature].apply(table[feature]) for feature in features]
        return parts[0] if len(parts) == 1 else intersect(parts)

    return groups_of
