"""Options that several commands share."""

from __future__ import annotations

import argparse

METRIC = "equal_opportunity_difference"


def add_audit_options(parser: argparse.ArgumentParser) -> None:
    """Add what an audit of a case and one of decisions share."""
    parser.add_argument(
        "--metric", action="append", metavar="NAME", help="metric to show; may be repeated; default: a usual set"
    )
    parser.add_argument("--weight", metavar="COLUMN", help="what each row counts, as in a survey")
    parser.add_argument(
        "--strata", action="append", metavar="COLUMN", help="compare groups within its values, too; may be repeated"
    )
    parser.add_argument(
        "--reference",
        action="append",
        metavar="FEATURE=GROUP",
        help="group the others are compared with; may be repeated",
    )
    parser.add_argument("--level", type=float, default=0.95, help="coverage of the intervals (default: %(default)s)")
    parser.add_argument("--resamples", type=int, default=2000, help="resamples behind them (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the resamples (default: %(default)s)")


def add_keys(parser: argparse.ArgumentParser) -> None:
    """Add where the keys of a ledger lie."""
    parser.add_argument("--keys", metavar="FOLDER", help="folder of the ledger's keys (default: ~/.redress/keys)")


def add_metric(parser: argparse.ArgumentParser, default: str = METRIC, what: str = "metric to improve") -> None:
    """Add a metric, and whose groups it compares."""
    parser.add_argument("--metric", default=default, metavar="NAME", help=f"{what} (default: %(default)s)")
    parser.add_argument(
        "--sensitive-feature",
        metavar="NAME",
        help="whose groups; 'sex & race' is the intersection; default: the case's first",
    )


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add a condition on the test rows."""
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        help="only the test rows it holds for, as \"month >= '2025-07' and region = 'north'\"",
    )


def add_split(parser: argparse.ArgumentParser, what: str, default: str | None = "explore") -> None:
    """Add the split that test rows are of, and a condition on them."""
    add_where(parser)
    said = what if default is None else f"{what} (default: %(default)s)"
    parser.add_argument("--on", default=default, choices=("explore", "confirm", "test"), help=said)


def add_slice_options(parser: argparse.ArgumentParser) -> None:
    """Add what a search for slices takes."""
    add_metric(parser, "zero_one_loss", "a share of rows, or a difference of one between groups")
    add_split(parser, "rows to search; a search may not use confirm")
    parser.add_argument(
        "--max-predicates", type=int, default=3, help="most conditions of a slice, up to 3 (default: %(default)s)"
    )
    parser.add_argument(
        "--min-support", type=float, default=0.01, help="smallest share of the rows (default: %(default)s)"
    )
    parser.add_argument("--top", type=int, default=10, metavar="K", help="slices to list (default: %(default)s)")
    parser.add_argument("--bins", type=int, default=5, help="quantile bins of numeric columns (default: %(default)s)")


def add_policy_options(parser: argparse.ArgumentParser) -> None:
    """Add what holding a case against a policy profile takes."""
    parser.add_argument(
        "--profile",
        default="four_fifths",
        metavar="NAME",
        help="four_fifths, equalized_odds, impact_ratios, or a TOML file (default: %(default)s)",
    )
    parser.add_argument("--toml", action="store_true", help="print the profile itself, to change it, and audit nothing")
    parser.add_argument(
        "--sensitive-feature",
        action="append",
        metavar="NAME",
        help="may be repeated; 'sex & race' is the intersection; default: all",
    )
    add_split(
        parser, "rows to audit; default: all test rows of a model as opened, explore of one that was changed", None
    )
