"""The family of gradient boosting."""

from core.families.base import Family
from core.families.boosting.influence import StageInfluence
from core.families.boosting.provenance import check_boosting
from core.families.boosting.reasons import StageReasons
from core.families.boosting.self_influence import own_moves
from core.families.boosting.unlearner import BOOSTERS, LeafRefit

BOOSTING = Family(
    name="gradient boosting",
    model_types=tuple(BOOSTERS),
    unlearner=LeafRefit(),
    attributor=StageInfluence(),
    provenance=check_boosting,
    self_influence=own_moves,
    explainer=StageReasons(),
)
