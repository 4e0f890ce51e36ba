"""Influence of training records in forests, with the structure of every tree kept.

Trees grown to purity do not move to first order: a leaf of one class stays so without any one of its rows. What a record does is
therefore read from the tree shrunk towards the nodes above each leaf (hierarchical shrinkage): its share of every node on its
path, times the metric's gradient over the explore rows that pass through that node. A leaf left empty takes its parent's value.
Where classes keep their share of a bootstrap's draws, the record's own weigh on the others of its class, to first order.
For a group the shrunk trees are summed again without it, and its predicted scores are put into the smooth metric.

Splits do move when records really go, and trees below a moved split are grown anew: for one record that noise is mostly larger
than its effect, so that influence is a record's share in what the removal of many like it does. To look closely, groups are really
removed from some of the trees (`forest_measured`); a preview is the removal itself wherever that is quick.

References
----------
Agarwal, A., Tan, Y. S., Ronen, O., Singh, C. and Yu, B. (2022). Hierarchical shrinkage. ICML.
Brophy, J., Hammoudeh, Z. and Lowd, D. (2023). Adapting and evaluating influence-estimation methods for gradient-boosted decision
trees. JMLR 24.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from core.attribution.base import Attributor, MetricOfScores
from core.attribution.measured import Measured
from core.attribution.outcome import Outcome
from core.attribution.smooth import Quantity, SmoothMetric
from core.case.case import Case
from core.errors import InputError, NotSupportedError
from core.families.forest.influence_of_groups import changes_kept, over_trees, scores_after, with_sample
from core.families.forest.measured import measure_groups
from core.families.forest.points import points_of, state_of
from core.families.forest.rescaled import IN_PLACE
from core.families.forest.unlearner import Forest
from core.numerics.trees.effects import add_effects, add_effects_of_draws, class_pulls, node_masses
from core.typing import Floats, Positions
from core.unlearning.base import mask_without
from core.unlearning.preprocessing.unchanged import preprocessing_differs

SHRINKAGE = 30.0
"""Rows above a leaf that weigh as much as what the leaf adds. Of 1 to 1,000, those from 10 to 100 agree best with real removals."""
FEW_RECORDS = 100
FEW_ROUTES = 2_000_000
"""Up to so many records, or paths of retained rows through trees, a removal takes seconds at most."""

KEPT = (
    "The change is predicted with the splits of most trees kept. Without these records some splits would move, "
    "so that really removing them can change the numbers otherwise."
)


class ForestInfluence(Attributor):
    """Structure-kept influence on shrunk trees; previews by the removal itself."""

    name = "forest"
    beside_removal = (
        "Measured by removing these records from every tree, as a preview does where that takes seconds; on larger tables a preview keeps "
        "most trees' splits and may give another figure."
    )

    def fits(self, case: Case) -> str | None:
        """Return why the model's trees cannot be adopted, or None."""
        return Forest().fits(case)

    def measure(self, case: Case, metric: str, feature: str | tuple[str, ...] | None, on: str) -> MetricOfScores:
        """Return the smooth metric.

        A vote near the threshold may fall to either side once trees are grown anew.
        """
        smooth = SmoothMetric.of(case, metric, feature, on, floor=0.5 / len(state_of(case).trees), judged_only=False)
        return lambda scores: np.array([smooth.value(row) for row in scores])

    def measured(
        self,
        case: Case,
        metric: str,
        feature: str | tuple[str, ...] | None,
        on: str,
        groups: Sequence[Positions],
        target: float,
        seconds: float | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Measured:
        """Return the effects of really removing the groups from as many trees as it takes.

        It costs their share of a removal's time.
        """
        known = self.group_changes(case, metric, feature, on, groups)
        return measure_groups(Outcome.of(case, metric, feature, on), groups, known, target, seconds, progress)

    def influence(self, case: Case, metric: str | Quantity, feature: str | tuple[str, ...] | None, on: str) -> Floats:
        """Return the predicted change of the smooth metric for every training row.

        About one prediction pass over all rows.
        """
        state, X = state_of(case), points_of(case, on)
        smooth = SmoothMetric.of(case, metric, feature, on, floor=0.5 / len(state.trees))
        pull = smooth.gradient(case.scores(on)) / len(state.trees)
        n_rows, positive = len(state.grove.rows), case.pos_column

        def effects_of(trees: range) -> Floats:
            effects, pulls = np.zeros(n_rows), np.zeros(len(case.classes))
            for index in trees:
                tree = state.trees[index]
                words, reals, values = tree.grown[:3]
                mass = node_masses(words, reals, X, pull)
                share = np.ascontiguousarray(values[:, positive])
                add_effects(words, reals, share, tree.samples, tree.roots.labels, positive, mass, SHRINKAGE, effects)
                if state.grove.bootstrap is not None:
                    class_pulls(words, reals, values, positive, mass, SHRINKAGE, pulls)
                    add_effects_of_draws(tree.samples, tree.roots.labels, pulls, effects)
            return effects

        found = np.zeros(len(case.retained))
        found[state.grove.rows] = over_trees(effects_of, len(state.trees))
        return found

    def scores_without(self, case: Case, positions: Positions, on: str) -> tuple[Floats, tuple[str, ...]]:
        """Return the scores after the removal itself.

        Where that takes long or cannot be done, predicted ones.
        """
        mask_without(case, positions)
        state = state_of(case)
        quick = len(positions) <= FEW_RECORDS and not preprocessing_differs(case, positions)
        if quick or case.n_retained * len(state.trees) <= FEW_ROUTES:
            try:
                removal = Forest().remove(case, positions, 0.0)
            except NotSupportedError as error:
                scores = self._scores_closely(case, positions, on)
                return scores, (f"The removal cannot be done in place: {error}.", KEPT)
            return removal.case.scores(on), tuple(note for note in removal.notes if note != IN_PLACE)
        return self._scores_closely(case, positions, on), (KEPT,)

    def alone(
        self, case: Case, metric: str, feature: str | tuple[str, ...] | None, on: str, positions: Positions
    ) -> Floats:
        """Return the change of the smooth metric when each row is really removed alone.

        A removal for each.

        NaN where it cannot be, or where without it the preprocessing gives columns that it did not give with it.
        """
        smooth = SmoothMetric.of(case, metric, feature, on, floor=0.5 / len(state_of(case).trees))
        before, changes = smooth.value(case.scores(on)), np.full(len(positions), np.nan)
        for place, position in enumerate(positions):
            try:
                changes[place] = smooth.value(scores_after(case, np.array([position]), on)) - before
            except (InputError, NotSupportedError):
                continue
        return changes

    def _scores_closely(self, case: Case, positions: Positions, on: str) -> Floats:
        found = changes_kept(case, [positions], on, SHRINKAGE)[0]
        return np.asarray(np.clip(case.scores(on) + with_sample(case, positions, on, found), 0.0, 1.0))

    def prefix_scores(
        self, case: Case, positions: Positions, sizes: Sequence[int], on: str
    ) -> Iterator[tuple[int, Floats]]:
        """Give the scores after really removing each prefix, one from what the last one left.

        From where that cannot be, predicted ones.
        """
        here, gone = case, 0
        for place, size in enumerate(sizes):
            try:
                here = Forest().remove(here, positions[gone:size], 0.0).case
            except InputError:
                yield from super().prefix_scores(case, positions, sizes[place:], on)
                return
            gone = size
            yield size, here.scores(on)

    def group_scores(self, case: Case, groups: Sequence[Positions], on: str) -> Floats:
        """Return the scores of shrunk trees without each group while no split moves.

        O(n_nodes + n_rows) a tree and group.
        """
        found = changes_kept(case, groups, on, SHRINKAGE)
        found[[not _can_go(case, group) for group in groups]] = np.nan
        return np.asarray(np.clip(case.scores(on) + found, 0.0, 1.0))


def _can_go(case: Case, group: Positions) -> bool:
    try:
        mask_without(case, group)
    except InputError:
        return False
    return True
