"""Redress: find the training records that make a tabular model unfair, remove them, and see what changes."""

from core.actions.edit import edit
from core.actions.influence import harmful, influence, preview
from core.actions.provenance import check_provenance
from core.actions.unlearn import converge, prepare, unlearn, unlearners_for
from core.attribution.measured import Measured
from core.case.case import Case
from core.case.roles import AtRate, Roles
from core.case.verdict import Provenance
from core.errors import RedressError
from core.families.boosting.splits import SplitCheck, check_splits
from core.files.cases.storage import load_case
from core.files.models.models import load_model, save_model
from core.files.tables.id_list import IdList, read_ids
from core.files.tables.read import read_table
from core.metrics.audit import AuditReport, audit
from core.metrics.catalog import METRICS
from core.metrics.compare import compare
from core.mitigation.base import Mitigation
from core.mitigation.registry import mitigate, mitigations
from core.plans.plan import Plan, plan_removal
from core.plans.random_removals import random_removals
from core.records.from_decisions import choose_decisions, influence_on_decisions
from core.records.groups import group_changes, measured_changes, predicted_scores
from core.records.moved import moved_decisions
from core.records.reasons import mean_reasons, reasons
from core.records.suspicious import suspicious_labels
from core.rules.explain_gap import explain_gap
from core.rules.explanation import Explanation, Subset
from core.unlearning.base import Guarantee, UnlearnResult
from core.unlearning.refit import refit
from core.verification.retrain_gap import RetrainGap, retrain_gap

__all__ = [
    "METRICS",
    "AtRate",
    "AuditReport",
    "Case",
    "Explanation",
    "Guarantee",
    "IdList",
    "Measured",
    "Mitigation",
    "Plan",
    "Provenance",
    "RedressError",
    "RetrainGap",
    "Roles",
    "SplitCheck",
    "Subset",
    "UnlearnResult",
    "audit",
    "check_provenance",
    "check_splits",
    "choose_decisions",
    "compare",
    "converge",
    "edit",
    "explain_gap",
    "group_changes",
    "harmful",
    "influence",
    "influence_on_decisions",
    "load_case",
    "load_model",
    "mean_reasons",
    "measured_changes",
    "mitigate",
    "mitigations",
    "moved_decisions",
    "plan_removal",
    "predicted_scores",
    "prepare",
    "preview",
    "random_removals",
    "read_ids",
    "read_table",
    "reasons",
    "refit",
    "retrain_gap",
    "save_model",
    "suspicious_labels",
    "unlearn",
    "unlearners_for",
]
