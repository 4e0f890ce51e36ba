"""CONTRIBUTING says how the code is: every method, field, layer and path that it names is there, and none of those it has to name is missing."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import core
import dev
from core.attribution.base import Attributor
from core.attribution.explainer import Explainer
from core.metrics.metric import Metric
from core.unlearning.base import Unlearner, split_input

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "CONTRIBUTING.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
CONTRACTS = {one.__name__: one for one in (Unlearner, Attributor, Explainer)}
NAMED = re.compile(r"^- `(\w+)(?:\(([^)]*)\))?`:", re.MULTILINE)
PUBLISHED = {
    "core.unlearning.base": ("model_input", "split_input", "mask_without"),
    "core.case.scoring": ("reals", "singles", "final_estimator"),
    "core.case.verdict": ("sentence",),
    "core.attribution.smooth": ("SmoothMetric", "predictors"),
    "core.numerics.linear.softmax": ("log_odds_shares",),
}
"""What a family is told to use, and where it is."""
DOCS = ["README.md", "benchmarks/README.md", "docs/CONTRIBUTING.md", "docs/METHODS.md"]


def section(heading: str) -> str:
    """Return the text below a heading, up to the next."""
    _, found, rest = TEXT.partition(f"\n{heading}\n")
    assert found, f"CONTRIBUTING has no {heading!r}"
    return re.split(r"\n#+ ", rest)[0]


def named(heading: str) -> dict[str, str | None]:
    """Return what a section's list names, with the parameters it gives; None where it gives none."""
    return {name: parameters if "(" in whole else None for whole, name, parameters in _named(section(heading))}


def _named(text: str) -> list[tuple[str, str, str]]:
    return [(one.group(0), one.group(1), one.group(2) or "") for one in NAMED.finditer(text)]


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_method_that_has_to_be_written_is_named(name: str) -> None:
    contract, said = CONTRACTS[name], named(f"### Methods of `{name}`")
    assert set(contract.__abstractmethods__) - said.keys() == set()
    bare = {one for one in contract.__annotations__ if not hasattr(contract, one)}
    assert bare - said.keys() == set(), "what has no default has to be given"


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_method_that_is_named_exists_and_is_called_so(name: str) -> None:
    contract = CONTRACTS[name]
    for method, parameters in named(f"### Methods of `{name}`").items():
        assert hasattr(contract, method) or method in contract.__annotations__, method
        if parameters is None:
            assert not callable(getattr(contract, method, None)), f"{method} is called: say with what"
        else:
            _, *own = inspect.signature(getattr(contract, method)).parameters
            assert parameters.split(", ") == own, method


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_method_that_may_be_overridden_is_named(name: str) -> None:
    contract, said = CONTRACTS[name], named(f"### Methods of `{name}`")
    kept = {"fits", "prepare", "is_ready"} if contract is Unlearner else set()
    own = {one for one in vars(contract) if not one.startswith("_")} - kept
    assert own - said.keys() == set()


def test_the_fields_of_a_family_are_those_named() -> None:
    assert [*named("### Fields of `Family`")] == [one.name for one in fields(core.Family)]


def test_the_layers_are_those_of_the_contracts_in_their_order() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = next(one["layers"] for one in settings["contracts"] if one.get("containers") == ["core"])
    said = re.findall(r"^- `core/(\w+)(?:\.py)?`:", section("## How the code is laid out"), re.MULTILINE)
    assert said == layers[::-1]


def test_fields_of_a_metric_and_commands_are_there() -> None:
    said = re.findall(r"\(`(\w+)`\)", section("## Adding a metric"))
    assert said
    assert set(said) <= {one.name for one in fields(Metric)}
    assert set(re.findall(r"python3 dev\.py (\w+)", TEXT)) == set(dev.COMMANDS)


@pytest.mark.parametrize("doc", DOCS)
def test_every_path_that_documents_name_is_there(doc: str) -> None:
    spans = set(re.findall(r"`([\w.-]+(?:/[\w.-]+)+)`", (ROOT / doc).read_text("utf-8")))
    assert [one for one in sorted(spans) if not (ROOT / one).exists()] == []


def test_the_example_takes_nothing_that_is_private() -> None:
    whole = EXAMPLES[0]
    assert "core.register_family(" in whole
    assert re.findall(r"\b_\w+|\._\w+", whole) == []
    assert re.findall(r"^(?:from|import) (core\S*)", whole, re.MULTILINE) == [
        "core",
        "core.errors",
        "core.unlearning.base",
    ]


def test_what_is_named_of_a_case_and_of_modules_is_there() -> None:
    spans = re.findall(r"`([^`\n]+)`", section("## Adding a family") + section("### Methods of `Attributor`"))
    said = {name for span in spans for name in re.findall(r"\bcase\.(\w+)", span)}
    assert {"retained", "train_codes", "pos_column", "scores"} <= said
    assert [name for name in sorted(said) if not hasattr(core.Case, name)] == []
    for module, names in PUBLISHED.items():
        assert [name for name in names if not hasattr(importlib.import_module(module), name) or name not in TEXT] == []


@pytest.mark.parametrize("on", ["explore", "confirm", "test"])
def test_split_input_is_what_the_model_scores(on: str, small_case: core.Case) -> None:
    scores = small_case.model.predict_proba(split_input(small_case, on))[:, small_case.pos_column]
    assert (scores == small_case.scores(on)).all()
