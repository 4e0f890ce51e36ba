"""First lines of docstrings: short enough to be read where they are listed, and about a thing they name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

MOST = 89
VAGUE = (
    r"what is looked at",
    r"^(What|Something|Everything|It|That|Those)\b",
    r"^Return (it|that|those|them|this|these|what (is|was|has|to))\b",
    r"^Whether (it|they)\b",
    r"\bto be said\b",
)
"""Beginnings and words that stand where the name of a thing should."""
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def first_lines(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find the first line of every docstring, with its place in the file."""
    for node in ast.walk(tree):
        text = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
        if text:
            yield node.body[0].lineno, text.partition("\n")[0]  # type: ignore[attr-defined]


def faults_of_line(text: str) -> Iterator[str]:
    """Say why a first line does not serve, in a clause each."""
    if len(text) > MOST:
        yield f"the first line must have at most {MOST} characters, not {len(text)}"
    for pattern in VAGUE:
        if found := re.search(pattern, text):
            yield f"the first line must name a thing, not say {found[0]!r}"


def wordy(root: Path, packages: tuple[str, ...]) -> list[str]:
    """Say which first lines are too long or name nothing, in one sentence each."""
    sentences = []
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            for line, text in sorted(first_lines(ast.parse(path.read_text("utf-8")))):
                sentences += [f"{path.relative_to(root)}:{line}: {fault}: {text}" for fault in faults_of_line(text)]
    return sentences
