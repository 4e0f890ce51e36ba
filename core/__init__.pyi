"""The public names, for editors and type checkers, and where each is defined; `__init__.py` imports them from there on first use."""

from core.actions.edit import edit as edit
from core.actions.influence import harmful as harmful
from core.actions.influence import influence as influence
from core.actions.influence import preview as preview
from core.actions.provenance import check_provenance as check_provenance
from core.actions.unlearn import converge as converge
from core.actions.unlearn import prepare as prepare
from core.actions.unlearn import unlearn as unlearn
from core.actions.unlearn import unlearners_for as unlearners_for
from core.attribution.measured import Measured as Measured
from core.case.case import Case as Case
from core.case.roles import AtRate as AtRate
from core.case.roles import Roles as Roles
from core.case.verdict import Provenance as Provenance
from core.errors import RedressError as RedressError
from core.files.cases.storage import load_case as load_case
from core.files.models.models import load_model as load_model
from core.files.models.models import save_model as save_model
from core.files.tables.id_list import IdList as IdList
from core.files.tables.id_list import read_ids as read_ids
from core.files.tables.read import read_table as read_table
from core.metrics.audit import AuditReport as AuditReport
from core.metrics.audit import audit as audit
from core.metrics.catalog import METRICS as METRICS
from core.metrics.compare import compare as compare
from core.mitigation.base import Mitigation as Mitigation
from core.mitigation.registry import mitigate as mitigate
from core.mitigation.registry import mitigations as mitigations
from core.plans.plan import Plan as Plan
from core.plans.plan import plan_removal as plan_removal
from core.plans.random_removals import random_removals as random_removals
from core.records.from_decisions import choose_decisions as choose_decisions
from core.records.from_decisions import influence_on_decisions as influence_on_decisions
from core.records.groups import group_changes as group_changes
from core.records.groups import measured_changes as measured_changes
from core.records.groups import predicted_scores as predicted_scores
from core.records.moved import moved_decisions as moved_decisions
from core.records.reasons import mean_reasons as mean_reasons
from core.records.reasons import reasons as reasons
from core.records.suspicious import suspicious_labels as suspicious_labels
from core.rules.explain_gap import explain_gap as explain_gap
from core.rules.explanation import Explanation as Explanation
from core.rules.explanation import Subset as Subset
from core.unlearning.base import Guarantee as Guarantee
from core.unlearning.base import UnlearnResult as UnlearnResult
from core.unlearning.refit import refit as refit
from core.verification.retrain_gap import RetrainGap as RetrainGap
from core.verification.retrain_gap import retrain_gap as retrain_gap

__version__: str
__all__: list[str]
from core.actions.splits import check_splits as check_splits
from core.families.base import Family as Family
from core.families.registry import register_family as register_family
from core.unlearning.splits import SplitCheck as SplitCheck
