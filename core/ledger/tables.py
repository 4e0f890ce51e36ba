"""The tables of an evidence pack, as CSV files for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.ledger.entries import Entry

TIMELINE = ("number", "at", "kind", "actor", "reason", "hash")


def tables_of(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the tables of entries whose content is shown, by the name of their file."""
    shown = [entry for entry in entries if entry.content is not None]
    found = {"tables/timeline.csv": _csv([{name: getattr(one, name) for name in TIMELINE} for one in shown])}
    for entry in shown:
        for name, rows in _parts(entry.facts).items():
            if rows:
                found[f"tables/entry_{entry.number:04}_{name}.csv"] = _csv(rows)
    return found


def _parts(facts: Mapping[str, Any]) -> dict[str, Sequence[Mapping[str, Any]]]:
    measured, guardrails = facts.get("measured") or {}, facts.get("guardrails") or {}
    found = facts.get("found") or {}
    return {
        "metrics": measured.get("metrics") or [],
        "groups": measured.get("groups") or [],
        "levels": guardrails.get("levels") or [],
        "people": guardrails.get("people") or [],
        "policy": (facts.get("policy") or {}).get("gaps") or [],
        "removed": (facts.get("forgotten") or {}).get("by_group") or [],
        "rules": [
            {name: value for name, value in one.items() if name != "expected"} for one in found.get("rules") or []
        ],
        "path": found.get("path") or [],
        "random": facts.get("random") or [],
        "alternatives": [
            {name: one[name] for name in ("method", "constraint", "metric", "utility", "on")} | point
            for one in facts.get("alternatives") or []
            for point in one["points"]
        ],
    }


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_cell, names))
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
