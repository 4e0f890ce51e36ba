"""How often is a planted cause the first or second rule shown?

And what is claimed of it, and what where there is no cause?

Tables of 4,000 training and 4,000 test rows (half of these to explore): all positive labels of a described subgroup of women set to 0, 2 to
6.5% of the rows; women truly granted less, whoever they are; neither. A rule is the planted one from a Jaccard similarity of 0.8 on.
"""

from __future__ import annotations

import argparse

from benchmarks.planted import FAMILIES, Result, explain, make, summary

KINDS = ("planted", "difference", "null")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", nargs="*", default=list(FAMILIES), choices=FAMILIES)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    parser.add_argument("--seeds", type=int, nargs=2, default=(100, 110), metavar=("FIRST", "LAST"))
    parser.add_argument("--rows", type=int, default=4000)
    options = parser.parse_args()
    for kind in options.kinds:
        for family in options.families:
            results = []
            for seed in range(*options.seeds):
                results.append(explain(make(family, kind, seed, options.rows), family, kind, seed))
                print(_line(results[-1]), flush=True)
            print(
                f"{family}, {kind}: {', '.join(f'{name} {value:.3g}' for name, value in summary(results).items())}",
                flush=True,
            )


def _line(result: Result) -> str:
    rules = "; ".join(
        f"{one.likeness:.2f} {one.measured:+.3f} expected {one.expected:+.3f} confirm {one.confirm:+.3f}"
        f"{' helps' * one.helps}{' this group' * one.this_group}"
        for one in result.shown
    )
    took = f"{result.seconds:.1f} + {result.seconds_expected:.1f} s"
    return (
        f"  {result.family} {result.kind} {result.seed}, {result.planted}, closes {result.closes:.2f}, {took}: {rules}"
    )


if __name__ == "__main__":
    main()
