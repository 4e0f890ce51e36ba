"""Putting the parts of one model together, with a sentence on each decision."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd
from sklearn.preprocessing import LabelEncoder

from core.case.group_thresholds import scorer
from core.case.scoring import column_names
from core.errors import InputError, listed
from core.files.models.chain.choosing import Candidate, chosen
from core.files.models.chain.joining import chained
from core.files.models.chain.naming import Naming, same_name
from core.files.models.chain.orders import Flow, Order, orders, orders_beside
from core.files.models.chain.pieces import Sorted, StoredPart, build_part
from core.files.models.chain.preparers import Preparer, encoders_of, preparer_of
from core.files.models.chain.target import codes, decodes, relabel
from core.files.models.kinds import is_fitted
from core.files.tables.limits import ModelLimits
from core.words import count, listing, with_article

_MOST_LEFT = 6


class Assembled(NamedTuple):
    """A model put together, what its rows go through, and what was decided.

    Parameters
    ----------
    model : object
    steps : list of str
    notes : list of str
    """

    model: Any
    steps: list[str]
    notes: list[str]


def assembled(found: Sorted, train: pd.DataFrame | None, limits: ModelLimits) -> Assembled:
    """Put the parts together.

    Raises
    ------
    InputError, LimitError
        If there is not just one fitted classifier, or parts do not belong to it.
    """
    return _Assembly(found, train, limits).result()


class _Assembly:
    def __init__(self, found: Sorted, train: pd.DataFrame | None, limits: ModelLimits) -> None:
        self._found, self._train, self._limits = found, train, limits
        self._notes: list[str] = []
        self._held = _only_model(found)
        self._model = self._build(self._held)
        self._steps = [step for held in found.steps if (step := self._step(held)) is not None]
        own = column_names(self._model)
        takes = getattr(scorer(self._model), "n_features_in_", None)
        if takes is None and own is None:
            raise InputError(
                f"{self._held.place}: a model must say how many columns it takes. This one does not; fit and save it again."
            )
        self._naming = Naming({held.place: held.tree for held in found.names}, train, self._model)
        names = tuple(str(one) for one in own) if own is not None else None
        n = len(names) if names is not None else int(takes or 0)
        self._flow = Flow(names if names is not None else self._naming.listed(n), n)

    def result(self) -> Assembled:
        encoders, labels = self._encoders()
        steps = self._steps + ([encoders_of("the encoders of columns", encoders)] if encoders else [])
        order, model = self._order(steps)
        if labels is not None:
            self._restore(model, *labels)
        self._notes += self._naming.notes(self._flow)
        if self._found.left:
            more = [f"{len(self._found.left) - _MOST_LEFT:,} more"] if len(self._found.left) > _MOST_LEFT else []
            left = listing([*self._found.left[:_MOST_LEFT], *more])
            self._notes.append(f"Left out, being no part of the model: {left}.")
        titles = [_short(step) for stage in order for step in stage.steps]
        return Assembled(model, [*titles, f"{self._held.kind} ({self._held.place})"], self._notes)

    def _build(self, held: StoredPart) -> Any:
        made, notes = build_part(held, self._limits)
        self._notes += notes
        return made

    def _step(self, held: StoredPart) -> Preparer | None:
        if not is_fitted(held.tree):
            self._notes.append(f"{held.place}: {with_article(held.kind)} that is not fitted was left out.")
            return None
        made = self._build(held)
        return preparer_of(f"the {held.kind} ({held.place})", made)

    def _encoders(self) -> tuple[dict[str, Any], tuple[str, Any] | None]:
        """Return the encoder of each column, and the labels of the outcome with their place."""
        known = self._known()
        built: dict[str, tuple[StoredPart, Any]] = {}
        for name, held in self._found.columns.items():
            if is_fitted(held.tree):
                built[name] = (held, self._build(held))
            else:
                self._notes.append(f"{held.place}: {with_article(held.kind)} that is not fitted was left out.")
        encoders: dict[str, Any] = {}
        targets: list[tuple[str, Any]] = []
        for name, (held, made) in built.items():
            column = name if not known else same_name(name, known) or self._naming.told_by(name, known)
            if column is not None:
                encoders[column] = made
            elif isinstance(made, LabelEncoder) and decodes(made.classes_, self._model):
                targets.append((held.place, made.classes_))
            else:
                self._notes.append(f"{held.place}: an encoder of no column that the model takes was left out.")
        for held in self._found.labels:
            self._place_label_encoder(held, known, encoders, targets)
        for place, _ in targets[1:]:
            self._notes.append(f"{place}: a second encoder that fits the outcome was left out.")
        return encoders, targets[0] if targets else None

    def _place_label_encoder(
        self, held: StoredPart, known: tuple[str, ...], encoders: dict[str, Any], targets: list[tuple[str, Any]]
    ) -> None:
        """Give a label encoder to the column its name or its values tell, or to the outcome."""
        if not is_fitted(held.tree):
            self._notes.append(f"{held.place}: {with_article(held.kind)} that is not fitted was left out.")
            return
        made = self._build(held)
        column = self._naming.told_by(held.key, known)
        if column is not None and column not in encoders:
            encoders[column] = made
        elif decodes(made.classes_, self._model):
            targets.append((held.place, made.classes_))
        elif (column := self._naming.with_values(made.classes_, known)) is not None and column not in encoders:
            encoders[column] = made
            self._notes.append(f"{held.place} encodes {column!r}, whose values it knows.")
        elif codes(self._model) and len(made.classes_) == codes(self._model):
            self._notes.append(f"{held.place}: its labels are the model's own, so nothing is encoded by it.")
        else:
            self._notes.append(
                f"{held.place}: a LabelEncoder of {listed(made.classes_.tolist(), most=3)} was left out, since nothing tells its column; "
                "name the file after the column."
            )

    def _known(self) -> tuple[str, ...]:
        """Return every column that is named by the model, by a step, by a list or by the table."""
        names = [*(self._flow.names or ()), *(name for step in self._steps for name in step.takes or ())]
        if not names:
            names = [*(self._naming.supposed(self._flow.n) or ())]
        return tuple(dict.fromkeys(names))

    def _order(self, steps: list[Preparer]) -> tuple[Order, Any]:
        found = orders(steps, self._flow, lambda n: self._naming.supposed(n, steps))
        found = found or orders_beside(steps, self._flow)
        if not found:
            raise _misfit(steps, self._flow, self._held)
        candidates = [self._candidate(order, alone=len(found) == 1) for order in found]
        best, note = chosen(candidates, self._train)
        self._notes += [note] if note else []
        passing = _passing(best.order)
        self._notes += [passing] if passing else []
        return best.order, best.model

    def _candidate(self, order: Order, *, alone: bool) -> Candidate:
        raw = order[0].before if order else self._flow
        names = raw.names or self._naming.listed(raw.n)
        # Names are given and taken away within a part: each candidate has parts of its own.
        own, model = (order, self._model) if alone else copy.deepcopy((order, self._model))
        return Candidate(order, chained(own, model, names), self._naming.supposed(raw.n))

    def _restore(self, model: Any, place: str, labels: Any) -> None:
        if type(model).__name__ == "ThresholdOptimizer":
            self._notes.append(f"{place}: the labels stay 0 and 1, as a ThresholdOptimizer needs them.")
            return
        if self._naming.holds_codes(labels, len(labels)):
            self._notes.append(f"{place} was left out: the table holds the outcome as numbers already.")
            return
        relabel(model, labels)
        self._notes.append(
            f"{place} gives the outcome its labels: {listed(labels.tolist())} where the model was trained on {listed(range(len(labels)))}."
        )


def _only_model(found: Sorted) -> StoredPart:
    if not found.models:
        others = [f"{with_article(held.kind)} ({held.place})" for held in (*found.steps, *found.labels)]
        if found.columns:
            others.append(f"encoders of {listed(found.columns, most=3)}")
        others += [f"names of {count(len(held.tree), 'column')} ({held.place})" for held in found.names]
        got = listing([*others, *found.left]) if others or found.left else "nothing"
        raise InputError(
            f"Among the files of a model must be the fitted classifier. Got {got}; add the model they belong to."
        )
    if len(found.models) > 1:
        got = listing(f"{with_article(held.kind)} ({held.place})" for held in found.models)
        raise InputError(f"Files must hold one model. Got {len(found.models)}: {got}; add the files of one alone.")
    held = found.models[0]
    if not is_fitted(held.tree):
        raise InputError(
            f"A model must be fitted. Got {with_article(held.kind)} ({held.place}) that is not; call fit and save it again."
        )
    return held


def _short(step: Preparer) -> str:
    if step.made is None:
        kinds = sorted({type(made).__name__ for made in step.encoders.values()})
        return f"{' and '.join(kinds)} of {listed(step.encoders, most=4)}"
    return step.title.removeprefix("the ")


def _taking(step: Preparer) -> str:
    return _short(step) if step.made is None else f"{_short(step)} takes {listed(step.takes or ())}"


def _passing(order: Order) -> str:
    """Say which columns go by some of the steps."""
    said = []
    for stage in order:
        if stage.whole:
            continue
        taken = {name for step in stage.steps for name in step.takes or ()}
        others = [name for name in stage.before.names or () if name not in taken]
        who = listing(_taking(step) for step in stage.steps)
        said.append(f"{who}; {count(len(others), 'other column')} pass{'es' if len(others) == 1 else ''} by.")
    return " ".join(said)


def _misfit(steps: Iterable[Preparer], flow: Flow, held: StoredPart) -> InputError:
    """Return the error for parts that stand in no order before the model."""
    steps = list(steps)
    model = f"the {held.kind} ({held.place})"
    unnamed = [step for step in steps if step.made is None]
    if unnamed and flow.names is None:
        return InputError(
            f"Encoders of single columns need the names of all {flow.n:,} columns that {model} takes. Got encoders of "
            f"{listed(unnamed[0].encoders, most=4)} alone; add the list of its columns, or the training table."
        )
    culprit = next((step for step in steps if not _may_precede(step, flow)), None)
    if culprit is not None:
        return InputError(
            f"What prepares the rows must give the columns that the model takes. {culprit.title[0].upper()}{culprit.title[1:]} gives "
            f"{_columns(culprit.n_gives, culprit.gives)}, and {model} takes {_columns(flow.n, flow.names)}; add the files that were saved together."
        )
    return InputError(
        f"Files must hold the parts of one model. No order of {listing(step.title for step in steps)} gives the {_columns(flow.n, flow.names)} "
        f"that {model} takes; add the files that were saved together, or save them as one Pipeline."
    )


def _may_precede(step: Preparer, flow: Flow) -> bool:
    if step.gives is not None and flow.names is not None:
        return bool(set(step.gives) & set(flow.names))
    return step.n_gives == flow.n


def _columns(n: int, names: Iterable[str] | None) -> str:
    return count(n, "column") + (f" ({listed(names, most=3)})" if names is not None else "")
