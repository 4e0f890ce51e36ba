"""Influence of training records in forests, with the structure of every tree kept.

Trees grown to purity do not move to first order: a leaf of one class stays so without any one of its rows. What a record does is
therefore read from the tree shrunk towards the nodes above each leaf (hierarchical shrinkage): its share of every node on its
path, times the metric's gradient over the explore rows that pass through that node. A leaf left empty takes its parent's value.

Splits do move when a record really goes, and for one record of a forest that noise is mostly larger than its effect: influence
is a record's share in what the removal of many like it does. For a group, a preview is the removal itself wherever that is quick.

References
----------
Agarwal, A., Tan, Y. S., Ronen, O., Singh, C. and Yu, B. (2022). Hierarchical shrinkage. ICML.
Brophy, J., Hammoudeh, Z. and Lowd, D. (2023). Adapting and evaluating influence-estimation methods for gradient-boosted decision
trees. JMLR 24.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import cpu_count
from sklearn.pipeline import Pipeline

from core.attribution.base import Attributor
from core.attribution.smooth import Quantity, SmoothMetric
from core.case.case import Case
from core.case.scoring import names_columns
from core.errors import NotSupportedError
from core.numerics.tree_effects import add_effects, add_votes_without, node_masses
from core.unlearning.base import mask_without
from core.unlearning.forest import Forest
from core.unlearning.forest_state import ForestState
from core.unlearning.forest_tree import LivingTree
from core.unlearning.threads import on_threads

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

SHRINKAGE = 100.0
"""Rows above a leaf that weigh as much as what the leaf adds.

The largest value the authors of the method search over. Of 10 to 300, those from 30 on agree best with real removals of groups.
"""
FEW_RECORDS = 100
FEW_ROUTES = 2_000_000
"""Up to so many records, or paths of retained rows through trees, a removal takes seconds at most."""

KEPT = "The change is predicted with the trees' splits kept; without these records some of them would move."


class ForestInfluence(Attributor):
    """Structure-kept influence on shrunk trees; previews by the removal itself."""

    name = "forest"

    def fits(self, case: Case) -> str | None:
        """Return why the model's trees cannot be adopted, or None."""
        return Forest().fits(case)

    def influence(self, case: Case, metric: str | Quantity, feature: str | tuple[str, ...] | None, on: str) -> Floats:
        """Return the predicted change of the smooth metric for every training row. About one prediction pass over all rows."""
        state = _state(case)
        smooth = SmoothMetric.of(case, metric, feature, on, floor=0.5 / len(state.trees))
        pull = smooth.gradient(case.scores(on)) / len(state.trees)
        X = _points(case, on)
        n_rows, positive = len(state.grove.rows), case.pos_column

        def effects_of(trees: tuple[LivingTree, ...]) -> Floats:
            effects = np.zeros(n_rows)
            for tree in trees:
                words, reals, values = tree.grown[:3]
                mass = node_masses(words, reals, X, pull)
                share = np.ascontiguousarray(values[:, positive])
                add_effects(words, reals, share, tree.samples, tree.roots.labels, positive, mass, SHRINKAGE, effects)
            return effects

        found = np.zeros(len(case.retained))
        found[state.grove.rows] = _over_trees(effects_of, state)
        return found

    def scores_without(self, case: Case, positions: Positions, on: str) -> tuple[Floats, tuple[str, ...]]:
        """Return the scores after the removal itself; where that takes long or cannot be done, with the trees' splits kept."""
        mask_without(case, positions)
        state = _state(case)
        if len(positions) <= FEW_RECORDS or case.n_retained * len(state.trees) <= FEW_ROUTES:
            try:
                removal = Forest().remove(case.replace(case.model, case.retained, state), positions, 0.0)
            except NotSupportedError as error:
                return self.scores_kept(case, positions, on), (f"It cannot be done in place: {error}.", KEPT)
            return removal.case.scores(on), removal.notes
        return self.scores_kept(case, positions, on), (KEPT,)

    def scores_kept(self, case: Case, positions: Positions, on: str) -> Floats:
        """Return the scores without some training rows while no split moves; emptied leaves collapse into their siblings.

        One walk of the training rows over the leaves, and of the split's rows through the trees.
        """
        state, X = _state(case), _points(case, on)
        gone = np.zeros(len(state.grove.rows), dtype=bool)
        gone[state.grove.local[positions]] = True

        def votes_of(trees: tuple[LivingTree, ...]) -> Floats:
            votes = np.zeros(len(X))
            for tree in trees:
                words, reals = tree.grown[:2]
                add_votes_without(words, reals, tree.samples, tree.roots.labels, case.pos_column, gone, X, votes)
            return votes

        return _over_trees(votes_of, state) / len(state.trees)


def _over_trees(task: Callable[[tuple[LivingTree, ...]], Floats], state: ForestState) -> Floats:
    """Return the sum of what `task` gives for each processor's share of the trees."""
    shares = [state.trees[start :: cpu_count()] for start in range(min(cpu_count(), len(state.trees)))]
    return np.asarray(np.sum(on_threads(task, [(share,) for share in shares]), axis=0))


def _state(case: Case) -> ForestState:
    return case._remember(("forest state",), lambda: Forest().prepare(case).state)  # type: ignore[no-any-return]


def _points(case: Case, on: str) -> npt.NDArray[np.float32]:
    """Return test rows as the trees get them."""

    def make() -> Any:
        frame = case.X_test.iloc[case.rows(on)]
        table: Any = frame if names_columns(case.model) else frame.to_numpy()
        if isinstance(case.model, Pipeline) and len(case.model.steps) > 1:
            table = case.model[:-1].transform(table)
            table = table.toarray() if hasattr(table, "toarray") else table
        return np.ascontiguousarray(table, dtype=np.float32)

    return case._remember(("forest points", on), make)  # type: ignore[no-any-return]
