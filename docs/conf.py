"""Settings of the documentation's site: `python3 dev.py docs` builds it, without a network.

The pages of the reference are written anew each time, so that they list what there is: every public name, under the part of the library
that defines it, and every metric of the catalog.
"""

from pathlib import Path

import core

project = "Redress"
author = "The Redress contributors"
copyright = "The Redress contributors"
version = release = core.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

autosummary_generate = True
autodoc_typehints = "none"  # the parameters' own lines say the types
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"Redress {release}"
html_show_sphinx = False
html_copy_source = False

GROUPS = {
    "case": "Cases",
    "files": "Files",
    "metrics": "Measuring and comparing",
    "actions": "Influence, removals and edits",
    "unlearning": "What a removal says",
    "rules": "Rules that explain a gap",
    "plans": "Plans",
    "records": "Records and decisions",
    "attribution": "Measured groups",
    "mitigation": "Mitigation",
    "verification": "Verification",
    "families": "Families of models",
    "errors": "Errors",
}
API = Path(__file__).with_name("api")


def _reference() -> str:
    parts: dict[str, list[str]] = {name: [] for name in GROUPS}
    for name in core.__all__:
        if name != "METRICS":
            parts.setdefault(core._DEFINED_IN[name].split(".")[1], []).append(name)
    text = [
        "# Reference",
        "All public names are in `core`. Each is imported on first use, so that `import core` costs nothing.",
    ]
    for part, names in parts.items():
        if names:
            listing = "\n".join(f"   {name}" for name in sorted(names, key=str.lower))
            text += [
                f"## {GROUPS.get(part, part.capitalize())}",
                f"```{{eval-rst}}\n.. currentmodule:: core\n.. autosummary::\n   :toctree: .\n   :nosignatures:\n\n{listing}\n```",
            ]
    return "\n\n".join(text) + "\n"


def _metrics() -> str:
    rows = [
        f"| `{one.name}` | {one.label} | {'' if one.better == 'neither' else one.better} | `{one.formula.replace('|', chr(92) + '|')}` |"
        for one in core.METRICS.values()
    ]
    return "\n".join(
        [
            "# Metrics",
            "",
            "`core.METRICS` is the catalog. Rates take the favourable label as their positive class. In formulas Y says that a label is "
            "favourable, D that a decision is, g stands for a group and s for the score of the favourable label. What a search improves, "
            "and what is called most harmful, goes by the column *better*.",
            "",
            "| name | words | better | formula |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _write(name: str, text: str) -> None:
    path = API / name
    if not path.exists() or path.read_text("utf-8") != text:  # else pages that did not change would be built again
        path.write_text(text, "utf-8")


API.mkdir(exist_ok=True)
for page in API.glob("core.*.rst"):
    if page.stem.partition(".")[2] not in core.__all__:
        page.unlink()
_write("index.md", _reference())
_write("metrics.md", _metrics())
