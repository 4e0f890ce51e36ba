"""Text that reaches a page: names escaped, numbers in a form people read."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&=^])")
NOTHING = "\N{EN DASH}"
"""Stands where there is no number."""


def plain(name: object) -> str:
    r"""Return text that Markdown and HTML show as it is, on one line.

    Column names, labels and group names come from files; an image in one would make the browser fetch it.

    Examples
    --------
    >>> plain("![x](http://a)")
    '\\!\\[x\\]\\(http\\://a\\)'
    """
    text = " ".join(str(name).split())
    return _MARKDOWN.sub(r"\\\1", text)


def markup(name: object) -> str:
    """Return text for the HTML of the strip and the labels of a chart."""
    return html.escape(" ".join(str(name).split()), quote=False)


def printable(text: object) -> str:
    r"""Return text that a terminal shows as it is: control characters are spelled out.

    Examples
    --------
    >>> printable("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(text))


def inline(label: str) -> str:
    """Return a label as it stands inside a sentence.

    Examples
    --------
    >>> inline("Gap in ROC AUC"), inline("ROC AUC")
    ('gap in ROC AUC', 'ROC AUC')
    """
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def with_article(noun: str) -> str:
    """Return a name with its indefinite article.

    By its first sound, or that of its first letter where it begins with an abbreviation.

    Examples
    --------
    >>> with_article("GaussianNB"), with_article("AdaBoostClassifier"), with_article("SVC")
    ('a GaussianNB', 'an AdaBoostClassifier', 'an SVC')
    >>> with_article("OneHotEncoder")
    'a OneHotEncoder'
    """
    if noun.lower().startswith(("one", "uni")):
        return f"a {noun}"
    sounds = "AEFHILMNORSX" if noun[:2].isupper() else "AEIOUaeiou"
    return f"{'an' if noun[:1] in sounds else 'a'} {noun}"


def number(value: float | None, digits: int = 3) -> str:
    """Return a value such as ``0.142``, a dash where there is none.

    A true minus sign stands in front where it is negative.

    Examples
    --------
    >>> number(-0.0214) == "\N{MINUS SIGN}0.021", number(float("nan")) == number(None) == NOTHING
    (True, True)
    """
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")


def signed(value: float | None, digits: int = 3) -> str:
    """Return a change with its sign.

    Examples
    --------
    >>> signed(0.02), signed(0.0)
    ('+0.020', '0.000')
    """
    text = number(value, digits)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.") else text


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as a percentage; one that would round to nothing as a bound.

    Examples
    --------
    >>> percent(0.8125), percent(0.0001), percent(0.0)
    ('81.2%', '<0.1%', '0.0%')
    """
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{100 * value:.{digits}f}%"
    nothing = not text.strip("-0.%")
    return text if not nothing else f"<{10.0**-digits:.{digits}f}%" if value > 0 else text.removeprefix("-")


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """Return ``0.11 to 0.17``, or nothing where the interval is unknown.

    Examples
    --------
    >>> interval(0.11, 0.17, 2), interval(None, None)
    ('0.11 to 0.17', '')
    """
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    return f"{number(low, digits)} to {number(high, digits)}"


def count(n: float, thing: str = "") -> str:
    """Return a count with thousands marks, and what is counted.

    Examples
    --------
    >>> count(1, "record"), count(1200, "record"), count(0)
    ('1 record', '1,200 records', '0')
    """
    text = f"{int(n):,}"
    return f"{text} {thing}{'' if n == 1 else 's'}" if thing else text


def where_said(where: str) -> str:
    """Return the words that follow "rows" where a condition chose them.

    Nothing where there is none.

    Examples
    --------
    >>> "120 test rows" + where_said("region = 'north'"), "120 test rows" + where_said("")
    ("120 test rows where region = 'north'", '120 test rows')
    """
    return f" where {where}" if where else ""


def seconds(value: float) -> str:
    """Return a duration in the unit that suits it.

    Examples
    --------
    >>> seconds(0.0123), seconds(2.5), seconds(125)
    ('12 ms', '2.5 s', '2 min 5 s')
    """
    if value < 1:
        return f"{max(1, round(1000 * value))} ms"
    if value < 60:
        return f"{value:.1f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def chance(value: float | None) -> str:
    """Return a p- or q-value as an equation's right side, as many digits as tables show.

    The smallest ones as a bound.

    Examples
    --------
    >>> chance(0.0213), chance(0.00002)
    ('= 0.0213', '< 0.0001')
    """
    return "< 0.0001" if value is not None and value < 0.0001 else f"= {number(value, 4)}"


def listing(names: Iterable[object]) -> str:
    """Return names as a phrase.

    Examples
    --------
    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    items = [str(name) for name in names]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
