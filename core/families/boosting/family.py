"""The family of gradient boosting."""

from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier

from core.families.base import Family
from core.families.boosting.influence import StageInfluence
from core.families.boosting.provenance import check_boosting
from core.families.boosting.reasons import StageReasons
from core.families.boosting.self_influence import own_leaf_moves
from core.families.boosting.splits import check_boosting_splits
from core.families.boosting.unlearner import BOOSTER_OF, LeafRefit

BOOSTING = Family(
    name="gradient boosting",
    model_types=tuple(BOOSTER_OF),
    unlearner=LeafRefit(),
    attributor=StageInfluence(),
    provenance=check_boosting,
    self_influence=own_leaf_moves,
    explainer=StageReasons(),
    splits=check_boosting_splits,
    examples={
        "histogram gradient boosting": HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=4, random_state=0),
        "gradient boosting": GradientBoostingClassifier(n_estimators=3, random_state=0),
    },
)
