"""Families are told apart by the nearest class they name, and only whole ones of a name of their own are let in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import core
from core.errors import InputError, InputTypeError
from core.families.boosting.family import BOOSTING
from core.families.logistic.family import LOGISTIC
from core.families.registry import FAMILIES, family_of, lacking
from core.unlearning.base import Guarantee
from core.unlearning.refit import Refit
from core.verification import check_unlearner
from tests.conftest import make_table
from tests.families.conftest import registered

TRAIN, TEST = (make_table(rows, seed).dropna().reset_index(drop=True) for rows, seed in ((250, 11), (150, 12)))
ROLES = core.Roles("granted", 1, 1, ["sex"])


class Another(Refit):
    """Trains again, under a name of its own."""

    name = "another"


def family(**parts: object) -> core.Family:
    return core.Family(
        **{"name": "adaptive boosting", "model_types": (AdaBoostClassifier,), "unlearner": Another(), **parts}
    )


EXAMPLES = {name: (one, model) for one in FAMILIES for name, model in one.examples.items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_served_by_their_family_as_it_claims(name):
    one, model = EXAMPLES[name]
    numbers = ["age", "income", "debt"]
    case = core.Case(model.fit(TRAIN[numbers], TRAIN["granted"]), TRAIN, TEST, ROLES)
    assert family_of(case.model) is one
    if isinstance(model, LogisticRegression):
        case = core.converge(case).case
    assert check_unlearner(one.unlearner, case)["passed"].all()


def test_a_registered_family_serves_its_models_and_says_what_it_lacks():
    adaptive = family()
    model = make_pipeline(StandardScaler(), AdaBoostClassifier())
    assert family_of(model) is None
    with registered(adaptive):
        assert family_of(model) is adaptive
        assert lacking(model, "influence is", "attributor") == "influence is not known for adaptive boosting"
        assert adaptive in FAMILIES
    assert adaptive not in FAMILIES
    assert "gradient boosting, not for an AdaBoostClassifier" in lacking(model, "influence is", "attributor")


def test_the_nearest_class_decides():
    own = family(model_types=(LogisticRegressionCV,))
    with registered(own):
        assert family_of(LogisticRegressionCV()) is own
        assert family_of(LogisticRegression()) is LOGISTIC
    assert family_of(LogisticRegressionCV()) is LOGISTIC


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"name": LOGISTIC.name}, "'logistic regression', which there is already"),
        ({"unlearner": Refit()}, "'refit', which there is already"),
        ({"unlearner": BOOSTING.unlearner}, "'leaf_refit', which there is already"),
        (
            {"model_types": (BaggingClassifier, LogisticRegression)},
            "LogisticRegression is of 'logistic regression' already",
        ),
    ],
)
def test_what_is_there_already_is_not_registered_again(parts, said):
    before = list(FAMILIES)
    with pytest.raises(InputError, match=said):
        core.register_family(family(**parts))
    assert before == FAMILIES


@pytest.mark.parametrize(
    ("parts", "kind", "said"),
    [
        ({"name": " "}, InputError, "must have a name"),
        ({"model_types": AdaBoostClassifier}, InputTypeError, "a tuple of one or more classes"),
        ({"model_types": ()}, InputTypeError, "a tuple of one or more classes"),
        ({"unlearner": Another}, InputTypeError, "must be an Unlearner. Got the class Another, not an instance"),
        (
            {"attributor": Another()},
            InputTypeError,
            "`attributor` of the family 'adaptive boosting' must be an Attributor",
        ),
        (
            {"explainer": 3},
            InputTypeError,
            "`explainer` of the family 'adaptive boosting' must be an Explainer. Got int",
        ),
        (
            {"provenance": "yes"},
            InputTypeError,
            "`provenance` of the family 'adaptive boosting' must be a function. Got str",
        ),
        (
            {"examples": [AdaBoostClassifier()]},
            InputTypeError,
            "`examples` of the family 'adaptive boosting' must be a Mapping",
        ),
        ({"examples": {"forest": RandomForestClassifier()}}, InputError, "'forest' is a RandomForestClassifier"),
    ],
)
def test_parts_of_another_kind_are_refused_by_name(parts, kind, said):
    with pytest.raises(kind, match=said):
        family(**parts)


@pytest.mark.parametrize(("field", "value"), [("name", ""), ("guarantee", "exact")])
def test_an_unlearner_says_what_it_is_called_and_what_it_holds(field, value):
    unlearner = Another()
    setattr(unlearner, field, value)
    with pytest.raises(InputError, match="must have a name" if field == "name" else "must state a core.Guarantee"):
        family(unlearner=unlearner)


def test_only_a_family_is_registered():
    with pytest.raises(InputTypeError, match=r"`family` must be a core\.Family\. Got Another instead"):
        core.register_family(Another())  # type: ignore[arg-type]


def test_an_unlearner_is_asked_about_models_of_its_own_family_only():
    class KnowsOnlyItsOwn(Another):
        def refusal(self, case):
            return None if case.model.coef_ is not None else "it has no coefficients"

    one = family(unlearner=KnowsOnlyItsOwn())
    model = BaggingClassifier().fit(TRAIN[["age", "debt"]], TRAIN["granted"])
    case = core.Case(model, TRAIN, TEST, ROLES)
    with registered(one):
        option = next(one for one in core.unlearners_for(case) if one.name == "another")
        assert (option.fits, option.reason) == (
            False,
            "it is for adaptive boosting, and the model is a BaggingClassifier",
        )
        assert [one.name for one in core.unlearners_for(case) if one.of_family] == ["refit"]
        assert core.unlearn(case, [3]).method == "refit"
        with pytest.raises(
            core.RedressError, match="it is for adaptive boosting, and the model is a BaggingClassifier"
        ):
            core.unlearn(case, [3], method="another")


def test_every_way_to_forget_says_how_and_what_it_holds():
    case = core.Case(LogisticRegression().fit(TRAIN[["age", "debt"]], TRAIN["granted"]), TRAIN, TEST, ROLES)
    options = core.unlearners_for(case)
    assert all(option.way.endswith(".") and isinstance(option.guarantee, Guarantee) for option in options)
    assert replace(LOGISTIC, attributor=None).attributor is None
