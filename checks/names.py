"""One meaning per public name: no two modules may define the same one."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("core", "dashboard")
SHARED = {
    "show": "draws a part of a page or a widget; every such module has one, called through the module's name",
    "RULES": "tells how models of earlier releases become today's; every kind of models has a table, and `port` joins them",
}
"""Names that mean one thing wherever they are defined: a contract between modules that asks for the same name."""


class Definition(NamedTuple):
    """A public name of a module.

    Parameters
    ----------
    module : str
    name : str
    is_setting : bool
        Whether it is assigned, not a class or function. One that no other module takes is its own module's affair.
    """

    module: str
    name: str
    is_setting: bool


def module_of(path: Path, root: Path) -> str:
    """Return the dotted name of a module."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def definitions(tree: ast.Module, module: str) -> Iterator[Definition]:
    """Find the public names that a module defines at its top."""
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if not node.name.startswith("_"):
                yield Definition(module, node.name, is_setting=False)
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(one, ast.Name) and not one.id.startswith("_"):
                    yield Definition(module, one.id, is_setting=True)


def taken(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Find what a module takes from others: the module, and the name."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.module, alias.name
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def repeated(root: Path) -> list[str]:
    """Say which public names two modules define, in one sentence each."""
    found: dict[str, list[Definition]] = defaultdict(list)
    used: set[tuple[str, str]] = set()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            used.update(taken(tree))
            for one in set(definitions(tree, module_of(path, root))):
                found[one.name].append(one)
    sentences = []
    for name, all_of_name in sorted(found.items()):
        public = [one.module for one in all_of_name if not one.is_setting or (one.module, name) in used]
        if len(public) > 1 and name not in SHARED:
            sentences.append(
                f"{name} must mean one thing, and is defined in {' and '.join(sorted(public))}; rename all but one."
            )
    return sentences
