"""Reading the command line."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import core
from core.command_line.options import (
    add_audit_options,
    add_keys,
    add_metric,
    add_policy_options,
    add_slice_options,
    add_split,
    add_where,
)
from core.command_line.terminal import BadArgumentError, plain
from core.errors import RedressError

if TYPE_CHECKING:
    from core.command_line.terminal import Output

BAD_INPUT = 2
INSTALLED = "redress"
COMMANDS = (
    "run",
    "audit",
    "audit-decisions",
    "slices",
    "policy",
    "influence",
    "explain",
    "plan",
    "unlearn",
    "erase",
    "provenance",
    "inspect",
    "evidence",
    "verify-evidence",
    "kernels",
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadArgumentError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    0; 2 with one sentence on bad input; 1 where a check finds something wrong.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``python -m core``; None reads it from the command line.

    Returns
    -------
    int
    """
    try:
        args = _parse(list(sys.argv[1:] if arguments is None else arguments))
        output = _run(args)
    except RedressError as error:
        print(f"error: {plain(error)}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(f"error: A file must be readable and a folder writable. {plain(error)}; check the path.", file=sys.stderr)
        return BAD_INPUT
    if isinstance(output, int):
        return output
    try:
        print(json.dumps(output.data, indent=2, ensure_ascii=False, allow_nan=False) if args.json else output.text)
        sys.stdout.flush()
    except BrokenPipeError:
        # A reader such as head has seen enough; keep Python from complaining again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return output.status


def _run(args: argparse.Namespace) -> Output | int:
    """Import the command's module, with all that it needs, and run the command."""
    module, _, name = args.run.partition(":")
    output: Output | int = getattr(import_module(f"core.command_line.{module}"), name)(args)
    return output


def _parse(arguments: list[str]) -> argparse.Namespace:
    command = arguments[0] if arguments else "--help"
    if command not in COMMANDS and command not in ("-h", "--help", "--version"):
        near = difflib.get_close_matches(command, COMMANDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise BadArgumentError(f"The command must be one of {', '.join(COMMANDS)}. Got {command!r}.{hint}")
    parser = _parser()
    if command == "run":
        args, rest = parser.parse_known_args(arguments)
        return argparse.Namespace(**vars(args), rest=rest)
    return parser.parse_args(arguments or ["--help"])


def _parser() -> argparse.ArgumentParser:
    program = INSTALLED if Path(sys.argv[0]).stem == INSTALLED else "python -m core"
    parser = _Parser(prog=program, description="Find the training records that make a model unfair, and remove them.")
    parser.add_argument("--version", action="version", version=f"redress {core.__version__}")
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(choices)
    _add_audit(choices)
    _add_audit_decisions(choices)
    add_slice_options(
        _add(choices, "slices", "the slices of the test rows in which a metric is worst", "slices:slices_command")
    )
    add_policy_options(
        _add(choices, "policy", "hold a case against a policy profile, a file to change", "policy:policy_command")
    )
    _add_influence(choices)
    _add_explain(choices)
    _add_plan(choices)
    _add_unlearn(choices)
    _add_erase(choices)
    _add(choices, "provenance", "is this the data the model was trained on?", "commands:provenance_command")
    _add_inspect(choices)
    _add_evidence(choices)
    _add_verify_evidence(choices)
    _add_command(choices, "kernels", "compile ahead what removals run on, once on a machine", "kernels:kernels_command")
    return parser


def _add(choices: Any, name: str, what: str, run: str) -> argparse.ArgumentParser:
    parser = _add_command(choices, name, what, run)
    parser.add_argument(
        "case",
        metavar="CASE",
        help="folder with case.toml, the tables and the model, or the name of a sample, as credit",
    )
    return parser


def _add_command(choices: Any, name: str, what: str, run: str) -> argparse.ArgumentParser:
    parser = _add_parser(choices, name, what, run)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser


def _add_parser(choices: Any, name: str, what: str, run: str, **options: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = choices.add_parser(
        name, help=what, description=f"{what[:1].upper()}{what[1:]}", **options
    )
    parser.set_defaults(run=run)
    return parser


def _add_run(choices: Any) -> None:
    parser = _add_parser(
        choices, "run", "serve the dashboard; further arguments go to streamlit", "run:run_command", allow_abbrev=False
    )
    parser.add_argument("--port", type=int, default=8501, help="first port to try (default: %(default)s)")
    parser.add_argument("--address", default="127.0.0.1", help="address to listen at (default: %(default)s)")


def _add_audit(choices: Any) -> None:
    parser = _add(
        choices, "audit", "rates per group, the gaps between groups, and how sure they are", "audits:audit_command"
    )
    parser.add_argument(
        "--sensitive-feature",
        action="append",
        metavar="NAME",
        help="may be repeated; 'sex & race' is the intersection; default: all",
    )
    add_split(
        parser, "rows to audit; default: all test rows of a model as opened, explore of one that was changed", None
    )
    add_audit_options(parser)


def _add_audit_decisions(choices: Any) -> None:
    parser = _add_command(
        choices,
        "audit-decisions",
        "audit a table of decisions or scores, without a model and with or without labels",
        "audits:audit_decisions_command",
    )
    parser.add_argument("table", metavar="TABLE", help="CSV, Parquet, Excel or ARFF file, a row for each person")
    parser.add_argument("--decisions", metavar="COLUMN", help="decisions, two values; or numbers, taken as scores")
    parser.add_argument("--scores", metavar="COLUMN", help="scores of --pos-label")
    parser.add_argument("--threshold", type=float, help="scores from it on are decided --pos-label (default: 0.5)")
    parser.add_argument("--target", metavar="COLUMN", help="labels, where there are such")
    parser.add_argument("--favorable", required=True, metavar="VALUE", help="the good outcome in decisions and labels")
    parser.add_argument("--pos-label", metavar="VALUE", help="the outcome that scores are of (default: the good one)")
    parser.add_argument("--sensitive-feature", action="append", required=True, metavar="COLUMN", help="may be repeated")
    parser.add_argument(
        "--merge", action="append", metavar="COLUMN", help="make one group of values that differ by capitals or spaces"
    )
    parser.add_argument(
        "--ages-on", action="append", metavar="COLUMN=DAY", help="column of dates of birth, and the day of the ages"
    )
    add_where(parser)
    add_audit_options(parser)


def _add_influence(choices: Any) -> None:
    parser = _add(
        choices,
        "influence",
        "the training records whose removal would improve a metric most",
        "commands:influence_command",
    )
    add_metric(parser)
    add_split(parser, "rows the metric is taken on; a search may not use confirm")
    parser.add_argument(
        "--top", default="20", metavar="N", help="how many to list, such as 20 or 1%% (default: %(default)s)"
    )
    parser.add_argument(
        "--rescore",
        type=int,
        default=0,
        metavar="K",
        help="really remove each of the K most harmful, and give the change that makes; where influence is a rough guide (default: %(default)s)",
    )


def _add_explain(choices: Any) -> None:
    parser = _add(
        choices, "explain", "rules whose records cause a gap, measured by removing them", "rules:explain_command"
    )
    add_metric(parser)
    add_split(parser, "rows the gap is taken on; a search may not use confirm")
    parser.add_argument(
        "--max-predicates", type=int, default=3, help="most conditions of a rule (default: %(default)s)"
    )
    parser.add_argument(
        "--min-support", type=float, default=0.005, help="smallest share of the records (default: %(default)s)"
    )
    parser.add_argument("--max-support", type=float, default=0.2, help="largest share (default: %(default)s)")
    parser.add_argument("--top", type=int, default=5, metavar="K", help="rules to measure (default: %(default)s)")
    parser.add_argument("--bins", type=int, default=5, help="quantile bins of numeric columns (default: %(default)s)")
    parser.add_argument(
        "--quick", action="store_true", help="leave out the searches on halves that say what to expect on other rows"
    )
    parser.add_argument(
        "--min-responsibility",
        type=float,
        default=0.05,
        metavar="SHARE",
        help="share of the gap a rule's removal has to close to be shown (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="time for refits where the model needs them (default: %(default)s)"
    )


def _add_plan(choices: Any) -> None:
    parser = _add(choices, "plan", "few records whose removal brings a metric to a target", "plans:plan_command")
    add_metric(parser)
    add_split(parser, "rows to plan on; a search may not use confirm")
    parser.add_argument("--target", type=float, default=0.05, help="value to reach (default: %(default)s)")
    parser.add_argument(
        "--utility",
        default="accuracy",
        metavar="NAME",
        help="what it may cost: a metric, or cost (default: %(default)s)",
    )
    parser.add_argument("--max-utility-drop", type=float, default=0.01, help="how much of it (default: %(default)s)")
    parser.add_argument("--cost-false-positive", type=float, help="what flagging one record wrongly costs")
    parser.add_argument("--cost-false-negative", type=float, help="what missing one record costs")
    parser.add_argument("--max-records", type=int, default=500, help="most records to remove (default: %(default)s)")
    parser.add_argument(
        "--max-group-share", type=float, default=1.0, help="largest share of any group to remove (default: %(default)s)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="leave out what to expect on other rows, which takes ten further searches"
    )
    parser.add_argument(
        "--random", type=int, default=20, metavar="N", help="random removals to set beside it (default: %(default)s)"
    )


def _add_unlearn(choices: Any) -> None:
    parser = _add(
        choices,
        "unlearn",
        "remove training records from the model, and compare before and after",
        "commands:unlearn_command",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--forget", metavar="FILE", help="CSV file with the ids to forget")
    which.add_argument("--ids", metavar="A,B,C", help="the ids to forget")
    which.add_argument(
        "--most-harmful", metavar="N", help="the records most harmful to --metric on explore: 1%% or 120"
    )
    parser.add_argument(
        "--by", default="record", choices=("record", "subject"), help="what the ids name (default: %(default)s)"
    )
    add_metric(parser)
    add_split(parser, "rows to compare on")
    parser.add_argument(
        "--method", default="auto", metavar="NAME", help="unlearning method (default: the first that fits)"
    )
    parser.add_argument(
        "--tolerance", type=float, default=1e-6, help="certified relative distance to reach (default: %(default)s)"
    )
    parser.add_argument("--save", metavar="FOLDER", help="write the new case there")
    parser.add_argument("--ledger", metavar="URL", help="write the removal down there, as sqlite:///redress.db")
    parser.add_argument("--actor", metavar="NAME", help="with --ledger: who removes")
    parser.add_argument("--reason", metavar="TEXT", help="with --ledger: why")
    add_keys(parser)


def _add_erase(choices: Any) -> None:
    parser = _add(choices, "erase", "forget people on a list, prove it, and write it down", "erasures:erase_command")
    parser.add_argument(
        "--forget", metavar="FILE", required=True, help="CSV file with the ids of whoever is to be forgotten"
    )
    parser.add_argument("--by", choices=("record", "subject"), help="what the ids name (default: what the list says)")
    parser.add_argument(
        "--finalise",
        action="store_true",
        help="rewrite CASE without their rows and those of earlier removals; for good",
    )
    parser.add_argument("--report", metavar="FILE", help="evidence pack to write")
    parser.add_argument(
        "--method", default="auto", metavar="NAME", help="unlearning method (default: the first that fits)"
    )
    parser.add_argument("--attacks", action="store_true", help="prove by membership attacks, too: up to 13 trainings")
    parser.add_argument("--ledger", metavar="URL", help="write the erasure down there, as sqlite:///redress.db")
    parser.add_argument("--actor", metavar="NAME", help="with --ledger: who erases")
    parser.add_argument("--reason", metavar="TEXT", help="with --ledger: why")
    add_keys(parser)


def _add_inspect(choices: Any) -> None:
    parser = _add_command(
        choices, "inspect", "what model files hold, told without running them", "models:inspect_command"
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="skops, pickle or joblib file; several may be one model"
    )
    parser.add_argument(
        "--train", metavar="TABLE", help="training table; decides where several files fit in several orders"
    )


def _add_evidence(choices: Any) -> None:
    parser = _add_command(
        choices, "evidence", "write a ledger's evidence to one file that anyone can check", "evidence:evidence_command"
    )
    parser.add_argument("--ledger", metavar="URL", required=True, help="where it lies, as sqlite:///redress.db")
    parser.add_argument("--out", metavar="FILE", required=True, help="the zip to write; one that is there is replaced")
    parser.add_argument("--case", metavar="CASE", help="show only what is about this case, and add its model card")
    add_keys(parser)


def _add_verify_evidence(choices: Any) -> None:
    parser = _add_command(
        choices,
        "verify-evidence",
        "check that evidence is whole, and who signed it; takes nothing but the file",
        "evidence:verify_evidence_command",
    )
    parser.add_argument("pack", metavar="PACK", help="the zip")
    parser.add_argument(
        "--fingerprint", metavar="DIGITS", help="of the signer's key, from elsewhere than the pack: 64 digits"
    )
    parser.add_argument("--replay", metavar="CASE", help="do it all again on this case, and compare every figure")
    add_keys(parser)
