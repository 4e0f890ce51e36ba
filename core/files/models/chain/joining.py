"""Building the pipeline of an order, with columns named once, in front."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from core.errors import InputError
from core.files.models.chain.orders import Order, Stage
from core.files.models.chain.preparers import Names, Preparer

_AS_TEXT = "nan"
"""What a missing value is once a column was turned into text, as people do before they encode it."""


def chained(order: Order, model: Any, names: Names) -> Any:
    """Return the pipeline of an order.

    Parameters
    ----------
    order : tuple of Stage
        May be empty.
    model : object
        The fitted classifier.
    names : tuple of str or None
        The columns of the table in front.

    Returns
    -------
    object
        The classifier itself where nothing stands before it and it is no pipeline.

    Raises
    ------
    InputError
        If the model decides by group, so that nothing can stand before it.
    """
    parts = [one for stage in order for one in _of_stage(stage, first=stage is order[0] and names is not None)]
    flat = [one for part in (*parts, model) for one in _steps(part)]
    if parts and type(model).__name__ == "ThresholdOptimizer":
        raise InputError(
            "A ThresholdOptimizer must hold what prepares its rows. Got them apart; fit it around a Pipeline of both."
        )
    for later in flat[1:]:
        forget_names(later)
    if names is not None:
        name_columns(flat[0], names)
    return make_pipeline(*flat) if len(flat) > 1 or isinstance(model, Pipeline) else model


def _steps(part: Any) -> Iterable[Any]:
    """Yield the steps of a pipeline in its place, save those that do nothing."""
    if not isinstance(part, Pipeline):
        yield part
        return
    for _, step in part.steps:
        if step is not None and not isinstance(step, str):
            yield from _steps(step)


def _of_stage(stage: Stage, *, first: bool) -> list[Any]:
    if stage.whole:
        step = stage.steps[0]
        return [step.made, *_reordered(step.gives, stage.after.names)]
    columns, gives = _columns(stage)
    beside = _transformer(columns, stage.before.names or (), first=first)
    return [beside, *_reordered(gives, stage.after.names)]


def _reordered(gives: Names, names: Names) -> list[Any]:
    """Return what brings columns into another order, where they are not in it."""
    if gives is None or names is None or gives == names or sorted(gives) != sorted(names):
        return []
    places = [gives.index(name) for name in names]
    return [_transformer([("ordered", "passthrough", places)], gives, first=False)]


Column = tuple[str, Any, list[Any]]


def _columns(stage: Stage) -> tuple[list[Column], tuple[str, ...]]:
    """Return the parts of a column transformer, in the columns' order, and the names it gives."""
    before = stage.before.names or ()
    parts: list[tuple[list[str], Any, tuple[str, ...]]] = []
    for step in stage.steps:
        if step.made is None:
            parts += _encoders(step, before)
        else:
            parts.append((list(step.takes or ()), step.made, step.gives or ()))
    taken = {name for names, _, _ in parts for name in names}
    parts += [(run, "passthrough", tuple(run)) for run in _runs([n for n in before if n not in taken], before)]
    if stage.after.names is not None:
        places = {name: place for place, name in enumerate(stage.after.names)}
        parts.sort(key=lambda part: min(places.get(name, len(places)) for name in part[2]))
    titles = _titles([made for _, made, _ in parts])
    columns = [(title, made, names) for title, (names, made, _) in zip(titles, parts, strict=True)]
    return columns, tuple(name for _, _, gives in parts for name in gives)


def _encoders(step: Preparer, before: Sequence[str]) -> list[tuple[list[str], Any, tuple[str, ...]]]:
    """Return one ordinal encoder for each run of neighbours, other encoders one by one."""
    plain = [name for name, made in step.encoders.items() if _is_label_coding(made)]
    alone = [name for name in plain if _apart(step.encoders[name])]
    runs = [
        *([name] for name in alone),
        *_runs([name for name in before if name in plain and name not in alone], before),
    ]
    parts: list[tuple[list[str], Any, tuple[str, ...]]] = [
        (run, _as_text(joined_encoder([step.encoders[name] for name in run])), tuple(run)) for run in runs
    ]
    given = iter(step.gives or ())
    for name, made in step.encoders.items():
        width = 1 if name in plain else len(made.get_feature_names_out())
        names = tuple(next(given) for _ in range(width))
        if name not in plain:
            parts.append(([name], made, names))
    return parts


def _is_label_coding(made: Any) -> bool:
    return (
        isinstance(made, OrdinalEncoder) and made.handle_unknown == "error" and not hasattr(made, "feature_names_in_")
    )


def _apart(made: OrdinalEncoder) -> bool:
    """Tell whether an encoder needs settings of its own, for missing values."""
    has_number = made.encoded_missing_value == made.encoded_missing_value
    return bool(has_number or _AS_TEXT in made.categories_[0].tolist())


def joined_encoder(encoders: Sequence[OrdinalEncoder]) -> OrdinalEncoder:
    """Return the encoder of several columns that does what an encoder of each does."""
    if len(encoders) == 1:
        return encoders[0]
    return fitted_on_firsts(OrdinalEncoder(categories=[one.categories_[0] for one in encoders]))


def fitted_on_firsts(made: Any) -> Any:
    """Fit what learns nothing from its rows on a row of each column's first category."""
    made.fit(pd.DataFrame({str(place): one[:1] for place, one in enumerate(made.categories)}))
    forget_names(made)
    return made


def _as_text(encoder: OrdinalEncoder) -> Any:
    """Return an encoder that takes missing values where it was fitted on text made of them."""
    if not all(_AS_TEXT in one.tolist() for one in encoder.categories_):
        return encoder
    filled = SimpleImputer(strategy="constant", fill_value=_AS_TEXT)
    return make_pipeline(filled.fit(np.array([[one[0] for one in encoder.categories_]], dtype=object)), encoder)


def _runs(names: Sequence[str], among: Sequence[str]) -> list[list[str]]:
    """Return names in groups of neighbours among all columns."""
    runs: list[list[str]] = []
    for name in names:
        place = among.index(name)
        if runs and place and among[place - 1] == runs[-1][-1]:
            runs[-1].append(name)
        else:
            runs.append([name])
    return runs


def _titles(parts: Iterable[Any]) -> list[str]:
    titles: list[str] = []
    for part in parts:
        kind = "as_it_is" if isinstance(part, str) else type(part).__name__.lower()
        same = sum(one == kind or one.startswith(f"{kind}-") for one in titles)
        titles.append(kind if not same else f"{kind}-{same + 1}")
    return titles


def _transformer(columns: Sequence[Column], names: Sequence[str], *, first: bool) -> ColumnTransformer:
    """Return a column transformer around parts that are fitted already.

    It is fitted with its columns passing by, and then given the parts.
    """
    places = {name: place for place, name in enumerate(names)}
    at = [[one if isinstance(one, int) else places[one] for one in chosen] for _, _, chosen in columns]
    chosen = [[names[place] for place in one] if first else one for one in at]
    titles = [title for title, _, _ in columns]
    passing = ColumnTransformer(
        list(zip(titles, ["passthrough"] * len(titles), chosen, strict=True)), sparse_threshold=0
    )
    row = pd.DataFrame(np.zeros((1, len(names))), columns=list(names))
    made = passing.fit(row if first else row.to_numpy())
    fitted, widths = [], {}
    for (title, part, _), (_, own, columns_taken) in zip(columns, made.transformers_, strict=True):
        if isinstance(part, BaseEstimator):
            inner = [names[place] for place in at[titles.index(title)]]
            name_columns(part, inner) if first else forget_names(part)
        fitted.append((title, own if isinstance(part, str) else part, columns_taken))
        widths[title] = len(columns_taken) if isinstance(part, str) else _width(part, len(columns_taken))
    made.transformers = [
        (title, part if isinstance(part, str) else clone(part), taken)
        for (title, part, _), taken in zip(columns, chosen, strict=True)
    ]
    made.transformers_ = fitted
    made.output_indices_ = _slices(widths)
    return made


def _width(part: Any, taken: int) -> int:
    return len(part.get_feature_names_out()) if hasattr(part, "get_feature_names_out") else taken


def _slices(widths: dict[str, int]) -> dict[str, slice]:
    at, found = 0, {}
    for title, width in widths.items():
        found[title] = slice(at, at + width)
        at += width
    return {**found, "remainder": slice(0, 0)}


def name_columns(made: Any, names: Sequence[str]) -> None:
    """Give a fitted estimator the names of its columns, wherever within it they are asked for."""
    if isinstance(made, Pipeline):
        first = next((step for _, step in made.steps if isinstance(step, BaseEstimator)), None)
        if first is not None:
            name_columns(first, names)
        return
    if isinstance(made, ColumnTransformer):
        for title, part, _ in made.transformers_:
            if isinstance(part, BaseEstimator):
                name_columns(part, [names[place] for place in made._transformer_to_input_indices[title]])
    inner: list[Any] = []
    if isinstance(made, FeatureUnion):
        inner = [part for _, part in made.transformer_list]
    elif isinstance(made, CalibratedClassifierCV):
        inner = [one.estimator for one in made.calibrated_classifiers_]
    elif isinstance(made, VotingClassifier):
        inner = list(made.estimators_)
    for part in inner:
        if isinstance(part, BaseEstimator):
            name_columns(part, names)
    if not isinstance(made, FeatureUnion):
        made.feature_names_in_ = np.array(list(names), dtype=object)


def forget_names(made: Any) -> None:
    """Take a fitted estimator's names of columns from it, as a later step is given none."""
    if isinstance(made, ColumnTransformer):
        _by_place(made)
    vars(made).pop("feature_names_in_", None)
    inner: list[Any] = []
    if isinstance(made, Pipeline):
        inner = [step for _, step in made.steps]
    elif isinstance(made, FeatureUnion):
        inner = [part for _, part in made.transformer_list]
    elif isinstance(made, ColumnTransformer):
        inner = [part for _, part, _ in made.transformers_]
    elif isinstance(made, CalibratedClassifierCV):
        inner = [one.estimator for one in made.calibrated_classifiers_]
    elif isinstance(made, VotingClassifier):
        inner = list(made.estimators_)
    for part in inner:
        if isinstance(part, BaseEstimator):
            forget_names(part)


def _by_place(made: ColumnTransformer) -> None:
    """Let a column transformer choose its columns by place."""
    if not hasattr(made, "feature_names_in_"):
        return
    at = {title: [int(place) for place in taken] for title, taken in made._transformer_to_input_indices.items()}
    made.transformers = [(title, part, at[title]) for title, part, _ in made.transformers]
    made.transformers_ = [(title, part, at[title]) for title, part, _ in made.transformers_]
