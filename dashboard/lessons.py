"""The answers to the demonstrations, and what each is to teach."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

import core
from core.words import count, percent
from dashboard import workspace


@dataclass(frozen=True)
class Lesson:
    """A demonstration's question, its answer and what follows.

    Parameters
    ----------
    question : str
        Asked of the records that somebody has chosen.
    text : str
        What the demonstration is to teach.
    rule, answer : str
        Where the records of the answer are, and what they are; empty where there are none.
    ids : tuple
        Ids of these records.
    """

    question: str
    text: str
    rule: str
    answer: str
    ids: tuple[Any, ...]

    def score(self, guessed: pd.Index[Any]) -> str:
        """Return how many of the guessed records are right, and what share of the right ones."""
        right = int(guessed.isin(self.ids).sum())
        if not self.ids:
            return f"None of these {count(len(guessed), 'record')} is to blame."
        return (
            f"{count(right)} of {count(len(guessed), 'record')} are among them ({percent(right / max(len(guessed), 1), 0)}), which is "
            f"{percent(right / len(self.ids), 0)} of the {count(len(self.ids))} there are."
        )


def lesson_of(case_id: str, case: core.Case) -> Lesson | None:
    """Return the lesson of a demonstration; None for other cases."""
    demo = workspace.demo_of(case_id)
    found = None if demo is None else _read(demo.folder)
    if found is None:
        return None
    kept = set(map(str, found[1]))
    ids = case.record_ids[case.record_ids.astype(str).isin(kept)]
    return Lesson(
        found[0]["question"], found[0]["lesson"], found[0].get("rule", ""), found[0].get("answer", ""), tuple(ids)
    )


@cache
def _read(folder: Path) -> tuple[dict[str, str], tuple[Any, ...]] | None:
    file, key = folder / "lesson.toml", folder / "answer_key.csv"
    if not file.exists():
        return None
    ids = tuple(pd.read_csv(key, dtype=str).iloc[:, 0]) if key.exists() else ()
    return tomllib.loads(file.read_text("utf-8")), ids
