"""The command that tells what model files hold."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import Any

import core
from core.command_line.commands import Output
from core.command_line.terminal import plain
from core.errors import RedressError
from core.json_values import value_for_json


def inspect_command(args: Namespace) -> Output:
    """Tell what each file holds; of a file that is no model file, why not.

    Raises
    ------
    RedressError
        If none is one.
    """
    told: list[str] = []
    data: list[dict[str, Any]] = []
    failed: list[RedressError] = []
    for file in args.files:
        try:
            found = core.inspect_model(file)
        except RedressError as error:
            failed.append(error)
            told.append(f"{plain(file)}: {plain(error)}")
            data.append({"file": file, "error": str(error)})
        else:
            told.append(f"{plain(file)}: {found!r}")
            data.append({"file": file, **{name: value_for_json(value) for name, value in asdict(found).items()}})
    if len(failed) == len(args.files):
        raise failed[0]
    return Output("\n\n".join(told), {"files": data})
