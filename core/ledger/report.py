"""The report of an evidence pack: one HTML page that needs nothing else and prints well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from core.ledger.charts import Bar, ChangeMark, changes, rate_bars
from core.ledger.entries import Entry
from core.metrics.catalog import METRICS
from core.metrics.compared import ALL_RECORDS
from core.metrics.guardrails.result import VERDICT_WORDS
from core.metrics.guardrails.sentence import ROWS_IN_WORDS
from core.metrics.policy import CHANCE
from core.words import count, interval, number, percent, printable, seconds, signed

PAGE = Path(__file__).with_name("report.html.jinja")
MARKS = {
    "fairer": "\N{BLACK UP-POINTING TRIANGLE}",
    "less_fair": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "fairer_by_levelling_down": "\N{BLACK DOWN-POINTING TRIANGLE}",
    "mixed": "\N{BLACK DIAMOND}",
}
NO_CLEAR = "\N{BLACK CIRCLE}"
FIRST = (
    "at",
    "when",
    "metric",
    "sensitive_feature",
    "group",
    "labelled_good",
    "n_removed",
    "n",
    "value",
    "interval",
    "threshold",
    "verdict",
)
"""Columns that stand before others, in this order."""
PLAIN_GUARANTEES = {
    "exact": "The model is the one that training again without these records gives. What they taught it is gone.",
    "certified": "The model lies within a distance, proven for this very removal, of the one that training again without these records gives.",
    "approximate": "The model is near the one that training again without these records gives, but nothing proves how near. "
    "The proof below, where there is one, measures it.",
}
REPORT_LIMITS = (
    "A signature shows that nothing was changed since it was made, and with a fingerprint from elsewhere by whom. It does not show that what is said is true: "
    "a replay on the case itself does.",
    "That a model equals one trained again without some records says that these records no longer shape it. Copies of the records, backups, other models and "
    "what people remember are not reached by it.",
    "Metrics are measured on the rows named beside them. Figures on rows that were searched flatter the search; gains to expect say so.",
    "A gap that closes is no finding that a model treats people fairly, and no verdict on what is allowed. Thresholds are conventions to look by.",
)


@dataclass(frozen=True)
class Heading:
    """The head of a report."""

    made: str
    ledger_id: str
    fingerprint: str


def report_html(entries: Sequence[Entry], heading: Heading) -> str:
    """Return the report of entries as one HTML page."""
    shown = [entry for entry in entries if entry.content is not None]
    page: str = _template().render(
        heading=heading,
        entries=shown,
        views={entry.number: _view(entry.facts) for entry in shown},
        n_hidden=len(entries) - len(shown),
        limits=REPORT_LIMITS,
    )
    return page


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    environment.filters |= {
        "label": metric_in_words,
        "number": number,
        "signed": signed,
        "percent": percent,
        "count": count,
        "seconds": seconds,
        "between": lambda row, digits=3: interval(row.get("low"), row.get("high"), digits),
        "words": lambda name: str(name).replace("_", " "),
        "is_table": _is_table,
        "columns": _columns,
        "compact": _compact,
        "beyond_chance": _beyond_chance,
        "verdict": lambda name: f"{MARKS.get(name, NO_CLEAR)} {VERDICT_WORDS.get(name, str(name).replace('_', ' '))}",
        "rows": lambda on: ROWS_IN_WORDS.get(on, str(on)),
    }
    return environment.from_string(PAGE.read_text("utf-8"))


def _shown(value: object) -> object:
    """Return text on one line, its control characters spelled out.

    HTML and numbers stay as they are.
    """
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable(" ".join(value.split()))


def metric_in_words(metric: str) -> str:
    """Return a metric in words."""
    return METRICS[metric].label if metric in METRICS else metric.replace("_", " ")


def _view(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page shows of an entry beside its facts."""
    measured = facts.get("measured") or {}
    verdict = (facts.get("guardrails") or {}).get("verdict")
    guarantee = (facts.get("method") or {}).get("guarantee")
    return {
        "measured": bool(measured),
        "bars": _bars(measured),
        "changes": _changes(measured),
        "tone": {"fairer": "good", "less_fair": "bad", "fairer_by_levelling_down": "bad"}.get(str(verdict), "open"),
        "guarantee": PLAIN_GUARANTEES.get(str(guarantee), ""),
        "groups": _removed(facts),
    }


def _bars(measured: Mapping[str, Any]) -> Markup:
    """Draw the chosen gap's rate in every group, before and after."""
    if not measured:
        return Markup("")
    metric, feature = str(measured["metric"]), str(measured["sensitive_feature"])
    rate = METRICS[metric].rates[0] if metric in METRICS else ""
    rows: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in measured["groups"]:
        if row["sensitive_feature"] == feature and rate in row:
            rows.setdefault(str(row["group"]), {})[row["when"]] = row
    drawn = [
        Bar(group, _counted(when["after"], rate), *(_ends(when[one], rate) for one in ("before", "after")))
        for group, when in rows.items()
        if {"before", "after"} <= when.keys()
    ]
    return rate_bars(
        drawn,
        f"{metric_in_words(rate)} by {feature}, before and after, on {count(measured['n'])} {ROWS_IN_WORDS.get(measured['on'], '')}",
    )


def _ends(row: Mapping[str, Any], rate: str) -> tuple[Any, Any, Any]:
    return row[rate], row.get(f"{rate}_low"), row.get(f"{rate}_high")


def _counted(row: Mapping[str, Any], rate: str) -> str:
    hits, of = row.get(f"{rate}_hits"), row.get(f"{rate}_of")
    return f"{count(row['n'])} rows" if hits is None or of is None else f"now {hits:,.0f} of {of:,.0f}"


def _changes(measured: Mapping[str, Any]) -> Markup:
    """Draw the change of every gap of the chosen feature with its interval."""
    if not measured:
        return Markup("")
    feature = str(measured["sensitive_feature"])
    rows = [row for row in measured["metrics"] if row["sensitive_feature"] in (feature, ALL_RECORDS)]
    drawn = [
        ChangeMark(
            metric_in_words(str(row["metric"])),
            row["change"],
            row["low"],
            row["high"],
            _beyond_chance(row),
            signed(row["change"]),
        )
        for row in rows
    ]
    return changes(drawn, f"Change of each metric of {feature}, with its {percent(measured['level'], 0)} interval")


def _beyond_chance(row: Mapping[str, Any]) -> str:
    """Return which way a metric went, empty where that may be chance."""
    return str(row["direction"]) if row["p_value"] is not None and row["p_value"] < CHANCE else ""


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of a table, what says of whom a row is first."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def _compact(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with each interval in the cell of its value, so that a table fits a page."""
    return [_with_intervals(row) for row in rows]


def _with_intervals(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name in ("low", "high") and {"low", "high"} <= row.keys():
            found["interval"] = interval(row["low"], row["high"])
        elif name.endswith(("_low", "_high")) and name.rpartition("_")[0] in row:
            continue
        elif isinstance(value, float) and f"{name}_low" in row and f"{name}_high" in row:
            between = interval(row[f"{name}_low"], row[f"{name}_high"])
            found[name] = f"{number(value)} ({between})" if between else number(value)
        else:
            found[name] = value
    return found


def _removed(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return how many records of each group were removed, where any was."""
    rows = (facts.get("forgotten") or {}).get("by_group") or []
    return [row for row in rows if row.get("removed")]


def _is_table(value: object) -> bool:
    """Return whether a value of a proof is rows with names."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)
