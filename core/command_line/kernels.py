"""Compiling the kernels of every model family ahead, so that nobody waits for them.

Numba compiles a kernel when it is first called and keeps it on disk. Every family's work is therefore done once, on a table of a
few hundred rows, with codes of 16 bits and once more with those of 32 that columns of over 65,535 values take; what the disk holds already
is loaded, which takes seconds.
"""

from __future__ import annotations

from argparse import Namespace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

import core
from core.command_line.commands import Output
from core.command_line.render import aligned
from core.families.base import Family
from core.families.registry import FAMILIES
from core.unlearning import compiling
from core.unlearning.code_types import long_codes

FEATURES = ["a", "b", "c", "d"]
METRIC = "demographic_parity_difference"


def kernels_command(args: Namespace) -> Output:  # noqa: ARG001
    """Compile the kernels of every model family."""
    rows, data = [], {}
    for family in FAMILIES:
        for name, model in family.examples.items():
            before, start = compiling.kernels_compiled(), perf_counter()
            for n_classes in (2, 3):
                _go_through(family, model, n_classes)
            with long_codes():
                _go_through(family, model, 2)
            data[name] = {
                "compiled": compiling.kernels_compiled() - before,
                "seconds": round(perf_counter() - start, 1),
            }
            rows.append([name, str(data[name]["compiled"]), f"{data[name]['seconds']:.1f}"])
    table = aligned(["model", "kernels compiled", "seconds"], rows)
    return Output(f"{table}\n\nNothing is compiled again until the program changes.", data)


def _go_through(family: Family, model: Any, n_classes: int) -> None:
    """Do once what the family's kernels are for."""
    case = _small_case(model, n_classes)
    if family.unlearner is None or family.unlearner.fits(case):
        return
    case = core.prepare(case, method=family.unlearner.name)
    core.check_provenance(case)
    if family.attributor is not None:
        _predict(case, n_classes)
    if family.splits is not None:
        core.check_splits(case)
    after = core.unlearn(case, case.retained_ids[:2], method=family.unlearner.name).case
    core.compare(case, after, metric=METRIC, n_resamples=200)
    core.edit(after, relabel={after.retained_ids[0]: 1})


def _predict(case: core.Case, n_classes: int) -> None:
    core.influence(case, METRIC, sensitive_feature="group")
    groups = [case.record_ids[start : start + 20] for start in range(0, 100, 20)]
    core.group_changes(case, groups, metric=METRIC, sensitive_feature="group")
    core.measured_changes(case, groups, metric=METRIC, sensitive_feature="group")
    if n_classes == 2:
        core.explain_gap(case, METRIC, sensitive_feature="group", max_predicates=1, top_k=1)
    core.preview(case, case.retained_ids[:2], metric=METRIC, n_resamples=200)


def _small_case(model: Any, n_classes: int) -> core.Case:
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(700, len(FEATURES))), columns=FEATURES)
    table["label"] = np.digitize(table["a"] + draw.normal(size=len(table)), np.arange(n_classes - 1))
    table["group"] = np.where(table["a"] > 0.0, "x", "y")
    train, test = table[:500], table[500:]
    fitted = clone(model).fit(train[FEATURES], train["label"])
    return core.Case(fitted, train, test, core.Roles("label", 1, 1, ["group"], features=FEATURES))
