"""A whole preprocessing pipeline refitted from sums.

Pipelines and column transformers around the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from core.errors import NotSupportedError
from core.unlearning.preprocessing.atoms import AtomBuilder, AtomCheck, AtomTable, NumericColumns, Sums
from core.unlearning.preprocessing.blocks import Block, Categories, Linear, Numbers, Raw, as_linear, stack
from core.unlearning.preprocessing.steps import LEAVES, Refitted, check_encoder, check_imputer, shallow


def ask_for_atoms(
    estimator: Any, names: tuple[str, ...] | None, builder: AtomBuilder | AtomCheck
) -> tuple[str, ...] | None:
    """Ask for the atoms that refitting `estimator` needs.

    Parameters
    ----------
    estimator : transformer
        Fitted.
    names : tuple of str or None
        The raw columns it gets; None after a step that has changed them.
    builder : AtomBuilder or AtomCheck
        Collects the atoms, or only checks that it could.

    Returns
    -------
    tuple of str or None
        The columns it leaves raw; None where it changes them.

    Raises
    ------
    NotSupportedError
        If a transformer or a parameter is not one that can be refitted from sums.
    """
    if passes(estimator):
        return names
    if isinstance(estimator, Pipeline):
        return _plan_pipeline([step for _, step in estimator.steps], names, builder)
    if isinstance(estimator, ColumnTransformer):
        _plan_columns(estimator, names, builder)
        return None
    if type(estimator) not in LEAVES:
        raise NotSupportedError(f"{type(estimator).__name__} is not among the transformers that can be updated")
    if isinstance(estimator, SimpleImputer):
        check_imputer(estimator)
    if isinstance(estimator, OneHotEncoder):
        _plan_categories([estimator], names, builder)
    elif names is not None:
        _ask_numbers(names, builder)
    return None


def _plan_pipeline(
    steps: Sequence[Any], names: tuple[str, ...] | None, builder: AtomBuilder | AtomCheck
) -> tuple[str, ...] | None:
    if any(isinstance(step, OneHotEncoder) for step in steps):
        _plan_categories([step for step in steps if not passes(step)], names, builder)
        return None
    for step in steps:
        names = ask_for_atoms(step, names, builder)
    return names


def _plan_categories(steps: Sequence[Any], names: tuple[str, ...] | None, builder: AtomBuilder | AtomCheck) -> None:
    at = next(index for index, step in enumerate(steps) if isinstance(step, OneHotEncoder))
    encoder = steps[at]
    check_encoder(encoder)
    if names is None or any(type(step) is not SimpleImputer for step in steps[:at]):
        raise NotSupportedError("a OneHotEncoder after a step other than a SimpleImputer")
    for imputer in steps[:at]:
        check_imputer(imputer)
    if at and not isinstance(encoder.categories, str):
        raise NotSupportedError("a OneHotEncoder with given categories after a SimpleImputer")
    refuses = isinstance(encoder.categories, str) and encoder.handle_unknown == "error"
    for name, categories in zip(names, encoder.categories_, strict=True):
        builder.categories(name, categories, refuses_unknown=refuses)
    for step in steps[at + 1 :]:
        ask_for_atoms(step, None, builder)


def _plan_columns(
    estimator: ColumnTransformer, names: tuple[str, ...] | None, builder: AtomBuilder | AtomCheck
) -> None:
    if estimator.transformer_weights:
        raise NotSupportedError("a ColumnTransformer with transformer_weights")
    for _, part, columns in column_parts(estimator):
        taken = None if names is None else tuple(names[index] for index in columns)
        left = ask_for_atoms(part, taken, builder)
        if left is not None:
            _ask_numbers(left, builder)


def _ask_numbers(names: tuple[str, ...], builder: AtomBuilder | AtomCheck) -> None:
    for name in names:
        builder.number(name)


def refit_from_sums(estimator: Any, block: Block, sums: Sums, atoms: AtomTable) -> Refitted:
    """Return the transformer as fitted on the retained rows, and the features it gives."""
    if passes(estimator):
        return estimator, block
    if isinstance(estimator, Pipeline):
        return _refit_pipeline(estimator, block, sums, atoms)
    if isinstance(estimator, ColumnTransformer):
        return _refit_columns(estimator, block, sums, atoms)
    return LEAVES[type(estimator)](estimator, _as_categories(estimator, block, atoms), sums, atoms)


def _refit_pipeline(estimator: Pipeline, block: Block, sums: Sums, atoms: AtomTable) -> Refitted:
    if isinstance(block, Raw) and any(isinstance(step, OneHotEncoder) for _, step in estimator.steps):
        block = Categories([atoms.categorical[name] for name in block.names], (None,) * len(block.names))
    steps = []
    for name, step in estimator.steps:
        fitted, block = refit_from_sums(step, block, sums, atoms)
        steps.append((name, fitted))
    new = shallow(estimator)
    new.steps = steps
    return new, block


def _refit_columns(estimator: ColumnTransformer, block: Block, sums: Sums, atoms: AtomTable) -> Refitted:
    fitted, blocks, widths = {}, [], {}
    for name, part, columns in column_parts(estimator):
        new_part, out = refit_from_sums(part, _select(block, columns), sums, atoms)
        features = as_linear(out, atoms)
        fitted[name] = new_part
        blocks.append(features)
        widths[name] = len(features)
    if not blocks:
        raise NotSupportedError("a ColumnTransformer that keeps no column")
    new = shallow(estimator)
    new.transformers_ = [(name, fitted.get(name, part), columns) for name, part, columns in estimator.transformers_]
    new.output_indices_ = _output_indices(estimator, widths)
    return new, stack(blocks)


def column_parts(estimator: ColumnTransformer) -> list[tuple[str, Any, Sequence[int]]]:
    """Return the fitted parts of a column transformer that take columns.

    With the columns' positions.
    """
    positions = estimator._transformer_to_input_indices
    return [
        (name, part, positions[name])
        for name, part, _ in estimator.transformers_
        if not (isinstance(part, str) and part == "drop") and len(positions[name])
    ]


def _output_indices(estimator: ColumnTransformer, widths: dict[str, int]) -> dict[str, slice]:
    indices, start = {}, 0
    for name in estimator.output_indices_:
        width = widths.get(name, 0)
        indices[name] = slice(start, start + width) if width else slice(0, 0)
        start += width
    return indices


def _select(block: Block, columns: Sequence[int]) -> Block:
    where = list(columns)
    if isinstance(block, Raw):
        return Raw(tuple(block.names[index] for index in where))
    if isinstance(block, Linear):
        return Linear(block.coef[where], block.at.take(where))
    if isinstance(block, Numbers):
        taken = NumericColumns.of([block.columns.columns[index] for index in where])
        return Numbers(taken, block.scale[where], block.at.take(where))
    return Categories([block.columns[index] for index in where], tuple(block.fill[index] for index in where))


def _as_categories(estimator: Any, block: Block, atoms: AtomTable) -> Block:
    if isinstance(estimator, OneHotEncoder) and isinstance(block, Raw):
        return Categories([atoms.categorical[name] for name in block.names], (None,) * len(block.names))
    return block


def passes(estimator: Any) -> bool:
    """Return whether a step hands its columns on as they are."""
    if estimator is None or (isinstance(estimator, str) and estimator == "passthrough"):
        return True
    return type(estimator) is FunctionTransformer and estimator.func is None
