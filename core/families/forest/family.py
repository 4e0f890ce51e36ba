"""The family of decision trees, random forests and extra-trees."""

from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.ensemble._forest import ForestClassifier
from sklearn.tree import DecisionTreeClassifier

from core.families.base import Family
from core.families.forest.influence import ForestInfluence
from core.families.forest.provenance import check_trees
from core.families.forest.reasons import TreeReasons
from core.families.forest.unlearner import Forest

FORESTS = Family(
    name="decision trees, random forests and extra-trees",
    model_types=(DecisionTreeClassifier, ForestClassifier),
    unlearner=Forest(),
    attributor=ForestInfluence(),
    provenance=check_trees,
    explainer=TreeReasons(),
    examples={
        "random forests": RandomForestClassifier(5, random_state=0),
        "forests with balanced class weights": RandomForestClassifier(5, random_state=0, class_weight="balanced"),
        "extra-trees": ExtraTreesClassifier(5, random_state=0),
    },
)
