"""The confirm screen: what each column is for, guessed first and settled by a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

import core
from core.case.door import labels_as_codes
from core.case.group_thresholds import scorer
from core.case.groups import FEW_VALUES
from core.case.scoring import column_names
from core.case.values.bins import default_edges
from core.errors import InputError, RedressError, listed
from core.files.guess import Guess
from core.words import count, plain
from dashboard import session

MOST_OUTCOMES = 20


def form(frame: pd.DataFrame, model: Any, guess: Guess, number: str) -> core.Roles:
    """Ask what the columns are for, starting from a guess.

    Parameters
    ----------
    frame : DataFrame
        The training table.
    model : estimator
        The fitted model.
    guess : Guess
        Where to start.
    number : str
        Tells one upload from the next, so that a new file starts from its own guess.

    Returns
    -------
    Roles

    Raises
    ------
    InputError
        If what was chosen does not make sense; the sentence says why.
    """

    def key(name: str) -> str:
        return f"{session.Key.ROLES}_{name}_{number}"

    columns = [str(name) for name in frame.columns]
    left, right = st.columns(2, gap="large")
    with left:
        target = st.selectbox(
            "Label",
            columns,
            columns.index(guess.target) if guess.target in columns else None,
            key=key("target"),
            help="The column that holds the true outcome.",
        )
        if target is None:
            why = "Got none; pick the column that holds the true outcome." if guess.target else guess.notes[0]
            raise InputError(f"A label column must be chosen. {why}")
        _check_classes(frame, target, model)
        positive, favorable = _outcomes(frame[target], guess, key)
        record_id = _column(
            "Record id",
            columns,
            guess.record_id,
            key("record_id"),
            "row number",
            "A column with a different value in every row.",
        )
    with right:
        others = [name for name in columns if name != target]
        sensitive = st.multiselect(
            "Sensitive features",
            others,
            [name for name in guess.sensitive_features if name in others],
            key=key("sensitive"),
            help="Columns whose groups are compared. A missing value is a group of its own.",
        )
        bins = {name: edges for name in sensitive if (edges := _bins(frame[name], key(f"bins_{name}"))) is not None}
        with st.expander("More columns"):
            weight = _column(
                "Sample weight", columns, None, key("weight"), "none", "Weights the model was trained with."
            )
            subject = _column(
                "Person or account", columns, None, key("subject"), "none", "May repeat: one person, several rows."
            )
            used = set(getattr(model, "feature_names_in_", ()))
            exclude = st.multiselect(
                "Excluded columns",
                [name for name in others if name not in used and name not in sensitive],
                [name for name in guess.exclude if name in others and name not in used and name not in sensitive],
                key=key("exclude"),
                help="Columns the model does not use and that nobody should look at.",
            )
        features = (
            None
            if column_names(model) is not None
            else _features(frame, model, [target, record_id, weight, subject, *exclude], key)
        )
    if not sensitive:
        raise InputError(
            "At least one sensitive feature must be chosen. Got none; pick the columns whose groups are to be compared."
        )
    return core.Roles(
        target=target,
        pos_label=positive,
        favorable_label=favorable,
        sensitive_features=sensitive,
        features=features,
        record_id=record_id,
        subject_id=subject,
        sample_weight=weight,
        bins=bins or None,
        exclude=exclude,
    )


def _features(frame: pd.DataFrame, model: Any, taken: list[str | None], key: Callable[[str], str]) -> list[str] | None:
    """Ask for the columns of a model that was fitted without names.

    Just as many as it needs are taken as they come, to be looked at.
    """
    needed = getattr(model, "n_features_in_", None)
    left = [str(name) for name in frame.columns if name not in taken]
    if needed is None:
        return None
    numbers = [name for name in left if pd.api.types.is_numeric_dtype(frame[name])]
    settled = len(left) == needed
    place = (
        st.expander(f"The model has no column names: it gets {listed(left, most=3)} in this order")
        if settled
        else st.container()
    )
    chosen = place.multiselect(
        "Columns the model was fitted on, in its order",
        left,
        left if settled else numbers if len(numbers) == needed else [],
        key=key(f"features_{'_'.join(left)}"),
        help="The model knows its columns by their place alone; the order here is the order in which it gets them.",
    )
    if len(chosen) != needed:
        raise InputError(
            f"The {needed} columns the model was fitted on must be chosen, since it has no names for them. Got {len(chosen)} of the "
            f"{len(left)} left; choose them in its order, or exclude the others under More columns."
        )
    return chosen


def _check_classes(frame: pd.DataFrame, target: str, model: Any) -> None:
    """Raise at once if the label has more classes than the model.

    That is before anything is asked about the outcomes.
    """
    classes = getattr(scorer(model), "classes_", None)
    if classes is not None and len(classes) < frame[target].nunique() <= MOST_OUTCOMES:
        labels_as_codes(frame.dropna(subset=[target]), target, classes, where="training")


def _outcomes(labels: pd.Series[Any], guess: Guess, key: Callable[[str], str]) -> tuple[Any, Any]:
    values = sorted(labels.dropna().unique().tolist(), key=str)
    if not 2 <= len(values) <= MOST_OUTCOMES:
        raise InputError(
            f"The label must have between 2 and {MOST_OUTCOMES} values. {str(labels.name)!r} has {len(values)}; choose another column."
        )
    texts = [str(value) for value in values]
    favorable = st.radio(
        f"Which {plain(labels.name)} is good for the person?",
        values,
        texts.index(str(guess.favorable_label)) if str(guess.favorable_label) in texts else len(values) - 1,
        format_func=plain,
        key=key(f"favorable_{labels.name}"),
        horizontal=True,
        help="Being granted a loan is good for the person; being flagged as fraud is not. Every group rate is about this outcome.",
    )
    positive = st.radio(
        "Which one does a high score stand for?",
        values,
        texts.index(str(guess.pos_label)) if str(guess.pos_label) in texts else len(values) - 1,
        format_func=plain,
        key=key(f"positive_{labels.name}"),
        horizontal=True,
        help="The class that the model scores: 1 in most tables. 'Flagged' means predicted as this class.",
    )
    return positive, favorable


def _column(title: str, columns: list[str], guess: str | None, key: str, none: str, about: str) -> str | None:
    options = [None, *columns]
    index = options.index(guess) if guess in options else 0
    return st.selectbox(
        title, options, index, format_func=lambda name: none if name is None else str(name), key=key, help=about
    )


def _bins(column: pd.Series[Any], key: str) -> tuple[float, ...] | None:
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if not numeric or column.nunique() <= FEW_VALUES:
        return None
    name = str(column.name)
    try:
        start = ", ".join(f"{edge:g}" for edge in default_edges(column))
    except RedressError as error:
        st.error(plain(error))
        return None
    text = st.text_input(
        f"Bins of {plain(name)} start at",
        start,
        key=key,
        help=f"Inner edges, ascending; a bin holds its lower edge. {plain(name)} runs from {column.min():g} to {column.max():g}.",
    )
    try:
        edges = tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
        core.Roles("label", 1, 1, [name], bins={name: edges})
    except ValueError as error:
        sentence = (
            str(error)
            if isinstance(error, RedressError)
            else (f"Bin edges must be numbers with commas between them. Got {text!r}; write for example {start}.")
        )
        raise InputError(sentence) from error
    return edges


def missing(train: pd.DataFrame, test: pd.DataFrame | None, roles: core.Roles, features: set[str]) -> pd.DataFrame:
    """Return one row per column: what it is used for, and how many values are missing."""
    parts: dict[str | None, str] = {
        roles.target: "label",
        roles.record_id: "record id",
        roles.subject_id: "person",
        roles.sample_weight: "weight",
        **dict.fromkeys(roles.exclude, "excluded"),
    }
    rows = []
    for name in train.columns:
        uses = [
            parts.get(name, ""),
            "sensitive" if name in roles.sensitive_features else "",
            "feature" if name in features else "",
        ]
        rows.append(
            {
                "column": str(name),
                "used as": ", ".join(use for use in uses if use) or "not used",
                "type": str(train[name].dtype),
                "different values": int(train[name].nunique()),
                "missing in training": int(train[name].isna().sum()),
                "missing in test": int(test[name].isna().sum()) if test is not None and name in test else None,
            }
        )
    return pd.DataFrame(rows)


def missing_sentence(table: pd.DataFrame) -> str:
    """Return how much is missing in the training table, in words."""
    gaps = table[table["missing in training"] > 0]
    if gaps.empty:
        return "No value is missing in the training table."
    return f"{count(gaps['missing in training'].sum(), 'value')} missing in {count(len(gaps), 'column')} of the training table."
