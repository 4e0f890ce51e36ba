"""Display of results in a notebook: the finding in a few lines, and a table."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from core.words import printable

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 10
"""Rows of the table that a notebook shows below the lines."""


class Shown(ABC):
    """A result that says what was found.

    Names of columns, groups and records come from files: a line spells out what a terminal would act on, and a page gets all of it
    escaped.

    Examples
    --------
    >>> import pandas as pd
    >>> class Counted(Shown):
    ...     def lines(self):
    ...         return ["Counted 2 groups", "<f> is smaller"]
    ...     def to_frame(self):
    ...         return pd.DataFrame({"<f>": [1], "m": [2]})
    >>> Counted()
    Counted 2 groups
      <f> is smaller
    >>> "&lt;f&gt; is smaller" in Counted()._repr_html_(), "<f>" in Counted()._repr_html_()
    (True, False)
    """

    @abstractmethod
    def lines(self) -> list[str]:
        """Say what was found: a heading, then a sentence or a figure in each line."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the result as a table."""

    def __repr__(self) -> str:
        heading, *others = map(printable, self.lines())
        return "\n  ".join([heading, *others])

    def _repr_html_(self) -> str:
        heading, *others = (html.escape(printable(line)) for line in self.lines())
        table = self.to_frame()
        shown = table.head(MOST_ROWS).to_html(border=0, float_format="{:.4g}".format) if len(table) else ""
        shown = "".join(map(printable, shown.splitlines()))
        more = f"<p>The first {MOST_ROWS} of {len(table):,} rows.</p>" if len(table) > MOST_ROWS else ""
        said = "".join(f"<br>{line}" for line in others)
        return f'<div class="tex2jax_ignore"><p><b>{heading}</b>{said}</p>{shown}{more}</div>'
