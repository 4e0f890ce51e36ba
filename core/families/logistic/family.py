"""The family of logistic regression."""

from sklearn.linear_model import LogisticRegression

from core.families.base import Family
from core.families.logistic.influence import NewtonInfluence
from core.families.logistic.provenance import check_optimum
from core.families.logistic.reasons import LinearReasons
from core.families.logistic.self_influence import own_step_moves
from core.families.logistic.unlearner import Newton

LOGISTIC = Family(
    name="logistic regression",
    model_types=(LogisticRegression,),
    unlearner=Newton(),
    attributor=NewtonInfluence(),
    provenance=check_optimum,
    self_influence=own_step_moves,
    explainer=LinearReasons(),
    examples={"logistic regression": LogisticRegression()},
)
