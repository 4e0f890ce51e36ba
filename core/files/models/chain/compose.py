"""Several files to one model: sorted, put in order, and built as one pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
from sklearn.pipeline import Pipeline

from core.case.scoring import column_names
from core.errors import InputError, InputTypeError, LimitError, listed
from core.files.models.building.checked import check_classifier, open_checked, version_notes
from core.files.models.chain.assembling import assembled
from core.files.models.chain.pieces import sort_parts
from core.files.models.chain.script import script_of
from core.files.models.child import in_child, start_early
from core.files.models.inert import check_shape
from core.files.models.isolation.frames import pack_frame
from core.files.models.read import read_tree
from core.files.tables.limits import ModelLimits, Source, check_limits, read_source
from core.shown import Shown
from core.words import count, with_article

MOST_FILES = 6
LIMITS = ModelLimits()

Files = Mapping[str, Source] | Sequence[Source]


@dataclass(frozen=True, repr=False)
class ComposedModel(Shown):
    """One model put together from several files, or from the parts that one file holds.

    Parameters
    ----------
    model : object
        The fitted classifier, behind what prepares its rows.
    files : tuple of str
        The files it comes from.
    steps : tuple of str
        What the rows go through, the classifier last, and where each comes from.
    columns : tuple of str
        The columns it takes; empty where no file names them.
    notes : tuple of str
        What was decided, and what a user should know, a sentence each.
    script : str
        Code that makes the same pipeline, to train it anew.
    """

    model: Any
    files: tuple[str, ...]
    steps: tuple[str, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    script: str

    def lines(self) -> list[str]:
        """Say what was put together, in which order and why."""
        kind = type(self.model.steps[-1][1] if isinstance(self.model, Pipeline) else self.model).__name__
        said = [f"One model from {count(len(self.files), 'file')}: {with_article(kind)}"]
        if len(self.steps) > 1:
            said.append("Steps: " + " > ".join(self.steps))
        if self.columns:
            said.append(f"{count(len(self.columns), 'column')}: {listed(self.columns, most=12)}")
        return [*said, *self.notes]

    def to_frame(self) -> pd.DataFrame:
        """Return the steps, one in a row."""
        return pd.DataFrame({"step": list(self.steps)}, index=range(1, len(self.steps) + 1))


def compose_model(
    files: Files, *, train: pd.DataFrame | None = None, limits: ModelLimits | None = None
) -> ComposedModel:
    """Put a classifier and what prepares its rows together, from up to six files.

    Scalers, encoders and the like stand before the classifier in the one order that fits names and numbers of columns. Dictionaries of
    encoders encode their columns; a label encoder of the outcome gives the model its labels back; a list of names gives an unnamed model
    its columns. Where several orders fit, the training table decides: what prepares the rows must equal what these rows give.

    Cost grows with the size of the files; with a table one fit of every step for each order that fits.

    Parameters
    ----------
    files : sequence of str, Path, bytes or binary file; or mapping of names to them
        The files; a dictionary within one may hold several parts.
    train : DataFrame, optional
        The table that the model was trained on.
    limits : ModelLimits, optional
        What each file must keep.

    Returns
    -------
    ComposedModel

    Raises
    ------
    LimitError
        If there are more than six files, or one passes a limit.
    InputError
        If the files hold no model or two, or parts that do not belong together.

    Examples
    --------
    >>> import pickle
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import StandardScaler
    >>> rows = [[1.0], [2.0], [4.0], [9.0]]
    >>> scaler = StandardScaler().fit(rows)
    >>> model = LogisticRegression().fit(scaler.transform(rows), [0, 0, 1, 1])
    >>> files = {"model.pkl": pickle.dumps(model), "scaler.pkl": pickle.dumps(scaler)}
    >>> compose_model(files).steps
    ('StandardScaler (scaler.pkl)', 'LogisticRegression (model.pkl)')
    """
    limits = LIMITS if limits is None else limits
    check_limits(limits, ModelLimits)
    check_train(train)
    start_early()
    found = in_child(
        "core.files.models.proving:compose",
        {
            "files": {name: _bytes_of(name, one, limits) for name, one in named_files(files).items()},
            "limits": asdict(limits),
            "train": None if train is None else pack_frame(train),
        },
    )
    return ComposedModel(open_checked(found.pop("model")), **found)


def check_train(train: object) -> None:
    """Raise unless a training table is a DataFrame, or none."""
    if train is not None and not isinstance(train, pd.DataFrame):
        raise InputTypeError(f"`train` must be a pandas DataFrame. Got {type(train).__name__} instead.")


def compose_here(files: Mapping[str, bytes], limits: ModelLimits, train: pd.DataFrame | None) -> ComposedModel:
    """Put together the parts in several files' bytes, in this process.

    Only a child may do so with bytes from outside.
    """
    trees = {}
    for name, data in files.items():
        with _naming(name):
            tree = read_tree(data, limits).tree
            check_shape(tree, limits)
        trees[name] = tree
    return composed(trees, train, limits)


def _bytes_of(name: str, source: Source, limits: ModelLimits) -> bytes:
    with _naming(name):
        return read_source(source, "model", limits.max_bytes)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Begin what is raised with a file's name."""
    try:
        yield
    except LimitError as error:
        raise LimitError(f"{name}: {error}") from error
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def named_files(files: Any) -> dict[str, Any]:
    """Return files by name: those of paths, others by their place.

    Raises
    ------
    LimitError
        If there are more than six.
    InputError
        If there is none, or two have the same name.
    """
    if not isinstance(files, Mapping | list | tuple):
        raise InputTypeError(
            f"Files of a model must be a list of them. Got {type(files).__name__}; write [file, file]."
        )
    if not files:
        raise InputError("A model must come from at least one file. Got none; name the file of the classifier.")
    if len(files) > MOST_FILES:
        raise LimitError(
            f"A model can come from at most {MOST_FILES} files. Got {len(files)}; add only the classifier and what prepares its rows."
        )
    if isinstance(files, Mapping):
        return {str(name): source for name, source in files.items()}
    names = [_name(one, place) for place, one in enumerate(files, start=1)]
    if len(set(names)) < len(names):
        names = [
            str(one) if isinstance(one, str) or hasattr(one, "parts") else name
            for one, name in zip(files, names, strict=True)
        ]
    found = dict(zip(names, files, strict=True))
    if len(found) < len(files):
        raise InputError("Each file of a model must be given once. Got one twice; leave it out.")
    return found


def _name(source: Any, place: int) -> str:
    path = source if isinstance(source, str) or hasattr(source, "parts") else getattr(source, "name", None)
    return (
        str(path).replace("\\", "/").rpartition("/")[2]
        if isinstance(path, str) or hasattr(path, "parts")
        else f"file {place}"
    )


def composed(trees: Mapping[str, Any], train: pd.DataFrame | None, limits: ModelLimits) -> ComposedModel:
    """Put together what inert trees hold, whose shape has been checked.

    Raises
    ------
    InputError, LimitError
        As `compose_model`.
    """
    made = assembled(sort_parts(trees), train, limits)
    check_classifier(made.model)
    names = column_names(made.model)
    columns = tuple(str(one) for one in names) if names is not None else ()
    notes = (*dict.fromkeys(made.notes), *version_notes(list(trees.values())))
    return ComposedModel(made.model, tuple(trees), tuple(made.steps), columns, notes, script_of(made.model, columns))
