"""The table of figures behind the tiles, as HTML.

The moments down, five numbers across, each with its facts one hover away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.words import markup


@dataclass(frozen=True)
class Cell:
    """One number of the strip.

    Parameters
    ----------
    text : str
        The number as shown.
    interval : str
        Its interval, or empty.
    facts : str
        Formula, counts and n, shown on hover and focus; lines are kept.
    """

    text: str
    interval: str = ""
    facts: str = ""


@dataclass(frozen=True)
class StripColumn:
    """One quantity of the strip, before, as predicted, and now."""

    title: str
    before: Cell
    preview: Cell | None
    now: Cell


_WIDTHS = "".join(f'<col style="width: {width}%">' for width in (9, 25, 27, 19, 9, 11))
ROWS = (("before", "Before"), ("preview", "Preview"), ("now", "Now"))


def strip_html(columns: Sequence[StripColumn], about: str = "") -> str:
    """Return the HTML of the strip's table, and a line below it on what the first number says."""
    head = "".join(f'<th scope="col">{markup(column.title)}</th>' for column in columns)
    body = "".join(_row(field, title, columns) for field, title in ROWS if getattr(columns[0], field) is not None)
    line = f'<p class="strip-about">{markup(about)}</p>' if about else ""
    return f'<table class="strip"><colgroup>{_WIDTHS}</colgroup><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>{line}'


def _row(field: str, title: str, columns: Sequence[StripColumn]) -> str:
    cells = "".join(f"<td>{_cell(getattr(column, field), last=i >= 3)}</td>" for i, column in enumerate(columns))
    return f'<tr class="strip-{field}"><th scope="row">{title}</th>{cells}</tr>'


def _cell(cell: Cell, *, last: bool) -> str:
    interval = f'<span class="strip-interval">{markup(cell.interval)}</span>' if cell.interval else ""
    number = f'<span class="strip-number">{markup(cell.text)}</span>{interval}'
    if not cell.facts:
        return number
    lines = "<br>".join(markup(line) for line in cell.facts.splitlines())
    side = " strip-facts-left" if last else ""
    return f'<span class="strip-hover" tabindex="0">{number}<span class="strip-facts{side}" role="tooltip">{lines}</span></span>'
