"""Former ways to call what is public.

They keep working, with a warning that says the new one.

A call reads ``verb(case, what, *, metric=, sensitive_feature=, on=)``: everything after the first two goes by keyword.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

from core.errors import InputTypeError

P = ParamSpec("P")
R = TypeVar("R")

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
LONGEST = 40
"""Characters of a value that a warning repeats; a longer one is left out."""


def formerly(
    *positional: str,
    renamed: Mapping[str, str] | None = None,
    synonyms: Mapping[str, str] | None = None,
    several: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a public call take its arguments as it did before, with a DeprecationWarning.

    The warning says the new form.

    What `refit` and `converge` give may also stand where a case is asked for, since it once was one.

    Parameters
    ----------
    *positional : str
        Keywords of today that were once given by position, in that order, after those that still are.
    renamed : mapping of str to str, optional
        Today's keyword by the former one. What was called `features` is always a list.
    synonyms : mapping of str to str, optional
        The same, for spellings that stay and bring no warning.
    several : bool
        Whether a list of sensitive features means each of them; else it once meant their intersection, today a tuple.

    Examples
    --------
    >>> @formerly("on", "metric")
    ... def verb(case, what, *, metric="accuracy", on="explore"):
    ...     return case, what, metric, on
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     verb("a case", "something", "test")
    ('a case', 'something', 'accuracy', 'test')
    >>> print(caught[0].message)
    This way to call core.verb will go. Write core.verb(case, what, on='test').
    """

    def decorate(call: Callable[P, R]) -> Callable[P, R]:
        form = _Form(call, positional, dict(renamed or {}), dict(synonyms or {}), several=several)

        @functools.wraps(call)
        def taking(*args: P.args, **kwargs: P.kwargs) -> R:
            given, options, old = form.today(args, kwargs)
            if old:
                warn(f"This way to call core.{form.name} will go. Write {form.written(given, options)}.")
            return call(*given, **options)

        return taking

    return decorate


def warn(message: str) -> None:
    """Warn of a former form where it was written: at the first call from outside this package."""
    depth, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(message, DeprecationWarning, stacklevel=depth)


class _Form:
    """How a call is written today, and how it was written before."""

    def __init__(
        self,
        call: Callable[..., Any],
        positional: tuple[str, ...],
        renamed: dict[str, str],
        synonyms: dict[str, str],
        *,
        several: bool,
    ) -> None:
        self.name = call.__name__
        known = inspect.signature(call).parameters.values()
        self.first = [one.name for one in known if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        self.positional, self.renamed, self.several = positional, renamed, several
        self.words = renamed | synonyms

    def today(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any], bool]:
        """Return the arguments as they are given today, and whether they were given otherwise."""
        n_first = len(self.first)
        if len(args) > n_first + len(self.positional):
            raise InputTypeError(
                f"core.{self.name} must be given at most {n_first} arguments by position. Got {len(args)}; give the others by keyword."
            )
        given, options = list(args[:n_first]), dict[str, Any]()
        for name, value in self._named(args[n_first:], kwargs):
            if name in options or name in self.first[: len(given)]:
                raise InputTypeError(f"`{name}` of core.{self.name} must be given once. Got it twice; leave one out.")
            options[name] = value
        old = len(args) > n_first or any(name in self.renamed for name in kwargs)
        check_progress(options.get("progress"))
        asked = options.get("sensitive_feature")
        if not self.several and isinstance(asked, list) and len(asked) > 1:
            options["sensitive_feature"], old = tuple(asked), True
        named: Any
        for held, named in ((given, 0), (given, 1), (options, "case"), (options, "after")):
            old = _take_case(held, named) or old
        return given, options, old

    def _named(self, more: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield from zip(self.positional, more, strict=False)
        for name, value in kwargs.items():
            if name == "features" and name in self.renamed and isinstance(value, tuple):
                value = list(value)
            yield self.words.get(name, name), value

    def written(self, given: list[Any], options: Mapping[str, Any]) -> str:
        """Return the call as it is written today."""
        named = [f"{name}={_shown(value)}" for name, value in options.items()]
        return f"core.{self.name}({', '.join([*self.first[: len(given)], *named])})"


def check_progress(report: object) -> None:
    """Refuse, before anything is computed, what cannot be reported to."""
    if report is not None and not callable(report):
        raise InputTypeError(
            f"`progress` must be a function that takes the share done and what is being done, or None. Got {_shown(report)}."
        )


def _take_case(held: Any, name: Any) -> bool:
    """Put the case of a result in place of a result that was once a case.

    Say whether there was one.
    """
    try:
        value = held[name]
    except (IndexError, KeyError):
        return False
    if not getattr(type(value), "was_a_case", False):
        return False
    held[name] = value.case
    return True


def _shown(value: object) -> str:
    text = repr(value) if value is None or isinstance(value, str | int | float | list | tuple | dict) else ""
    return text if 0 < len(text) <= LONGEST and "\n" not in text else "..."
