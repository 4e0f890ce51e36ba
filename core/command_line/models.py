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
    """Tell what each file holds, and of several which model they make together.

    Of a file that is no model file, say why not.

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
    together = _together(args.files, args.train) if len(args.files) > 1 or args.train else {}
    if together:
        told.append(together.pop("shown"))
    return Output("\n\n".join(told), {"files": data, **({"together": together} if together else {})})


def _together(files: list[str], train: str | None) -> dict[str, Any]:
    """Return the model that files make together, or why they make none."""
    try:
        table = None if train is None else core.read_table(train).frame
        found = core.compose_model(files, train=table)
    except RedressError as error:
        return {"shown": f"Together: {plain(error)}", "error": str(error)}
    script = "\n".join(map(plain, found.script.splitlines()))
    told = {name: value_for_json(getattr(found, name)) for name in ("steps", "columns", "notes", "script")}
    return {"shown": f"Together: {found!r}\n\n{script}", **told}
