"""A change as code: a script that redoes it, beside the case it starts from."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.case.arguments import check_choice
from core.case.case import Case, check_case
from core.errors import InputError
from core.files.cases.storage import files_of_case
from core.metrics.audit import audit
from core.metrics.samples import feature_name
from core.typing import Feature
from core.words import count

KINDS = ("unlearn", "refit", "converge", "relabel", "reweigh")
TOLERANCE = 1e-6
"""By how much the gap may differ where the script is run again."""
_HEAD = '''"""Redo the change of a model, from the case as it was given, and check the gap.

Run it where the package `redress` is installed: python redo.py
"""

import json
from pathlib import Path

import core

HERE = Path(__file__).resolve().parent
METRIC, FEATURE = {metric!r}, {feature!r}


def gap(case):
    """Return the gap on the {n} test rows that were searched."""
    report = core.audit(case, METRIC, sensitive_feature=[FEATURE], on="explore")
    return float(report.gaps["value"].iloc[0])


case = core.load_case(HERE / "case")
{before}
'''


@dataclass(frozen=True)
class RedoStep:
    """One step of a change.

    Parameters
    ----------
    kind : {"unlearn", "refit", "converge", "relabel", "reweigh"}
    ids : sequence
        The records removed or edited; of other kinds none.
    method : str
        As for `core.unlearn`.
    value : Any
        The label or weight that edited records were given.
    """

    kind: str
    ids: Sequence[Any] = ()
    method: str = "auto"
    value: Any = None


def change_as_code(opened: Case, now: Case, changes: Sequence[RedoStep], metric: str, feature: Feature) -> bytes:
    """Return a zip archive with the case as opened and a script that redoes its changes.

    The script ends with an assertion on the gap.

    Parameters
    ----------
    opened, now : Case
        The case before and after.
    changes : sequence of Change
        What leads from one to the other.
    metric : str
        The gap that is asserted, on the rows searched.
    feature : str or tuple of str
        Whose groups it compares.

    Returns
    -------
    bytes
        ``redo.py``, ``case/`` and, of every removal, the ids in ``removed_1.json`` and so on.

    Raises
    ------
    InputError
        If a kind of step is unknown, or an id is neither text nor a number.
    """
    check_case(opened)
    check_case(now)
    files: dict[str, str] = {}
    lines = []
    for i, change in enumerate(changes, 1):
        check_choice("kind", change.kind, KINDS)
        if change.kind in ("refit", "converge"):
            lines.append(f"case = core.{change.kind}(case).case")
            continue
        edited = change.kind != "unlearn"
        name = f"{'edited' if edited else 'removed'}_{i}.json"
        files[name] = json.dumps([_plain(one) for one in change.ids], ensure_ascii=False)
        lines.append(f'ids = json.loads((HERE / "{name}").read_text("utf-8"))  # {count(len(change.ids), "record")}')
        if edited:
            given = "relabel" if change.kind == "relabel" else "reweight"
            value = _plain(change.value)
            lines.append(
                f"case = core.edit(case, {given}=dict.fromkeys(ids, {value!r}), method={change.method!r}).case"
            )
        else:
            lines.append(f"case = core.unlearn(case, ids, method={change.method!r}).case")
    head = _HEAD.format(
        metric=metric, feature=feature, n=f"{len(opened.rows('explore')):,}", before=_asserted(opened, metric, feature)
    )
    end = [
        f"assert len(case.forgotten_ids) == {len(now.forgotten_ids)}",
        _asserted(now, metric, feature),
        'print(f"The gap is {gap(case):.6f}, with {len(case.forgotten_ids):,} records removed.")',
    ]
    files["redo.py"] = "\n".join([head.rstrip(), *lines, *end, ""])
    return _archive(opened, files)


def _asserted(case: Case, metric: str, feature: Feature) -> str:
    found = audit(case, metric, sensitive_feature=[feature], on="explore").gaps
    value = float(found["value"].iloc[0])
    if math.isnan(value):
        return f"assert gap(case) != gap(case)  # undefined: fewer than two groups of {feature_name(feature)!r} have the rate"
    return f"assert abs(gap(case) - {value!r}) < {TOLERANCE:g}"


def _plain(one: Any) -> Any:
    value = one.item() if isinstance(one, np.generic) else one
    if not isinstance(value, str | int | float):
        raise InputError(
            f"Ids must be text or numbers to be written into a file. Got {one!r}; take the ids from a column of such."
        )
    return value


def _archive(opened: Case, files: dict[str, str]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        for name, content in sorted(files_of_case(opened).items()):
            archive.writestr(f"case/{name}", content)
    return written.getvalue()
