"""Make the hospital case: a follow-up programme that passes people by, and consent withdrawn by some patients.

After discharge a nurse calls those whom the model expects back within 30 days; to be called is good for the patient. Whether somebody
comes back depends on age, earlier admissions, length of stay, emergency and diagnosis, in the same way for everybody. Patients with public
insurance who were operated on often came back to another hospital, and in the training table such admissions carry the label of somebody
who did not. A patient has one to several admissions, and some have withdrawn their consent since: their rows have to go, whatever they do
to the gap.

``python -m sample_data.hospital.make`` writes the tables, the fitted pipeline, ``case.toml``, the answer key and the withdrawals.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

import core
from sample_data.making import Planted, draw, generators, plant, scaled_and_encoded, write

N_TRAIN, N_TEST = 9_000, 6_000
TURNED_SHARE = 0.95
RULE = "insurance = 'public' and ward = 'surgery'"
N_WITHDRAWN, N_STRANGERS = 120, 3
NUMBERS = ["age", "earlier_admissions", "days", "medicines"]
CATEGORIES = ["sex", "insurance", "ward", "arrival", "diagnosis"]
WARDS = {"internal": 0.45, "surgery": 0.30, "cardiology": 0.15, "neurology": 0.10}
DIAGNOSES = {"heart": 0.25, "lung": 0.20, "injury": 0.25, "digestion": 0.20, "other": 0.10}
DIAGNOSIS_POINTS = {"heart": 0.9, "lung": 0.7, "injury": -0.8, "digestion": 0.0, "other": -0.2}

ROLES = core.Roles(
    target="readmitted",
    pos_label=1,
    favorable_label=1,
    sensitive_features=["insurance", "sex"],
    record_id="admission",
    subject_id="patient",
)


def make_hospital(seed: int = 0) -> Planted:
    """Return the tables and the answer key drawn from one seed."""
    of_train, of_test, of_labels = generators(seed, 3)
    truth = _admissions(of_train, N_TRAIN, 100_001, 10_001)
    test = _admissions(of_test, N_TEST, 500_001, 60_001)
    return plant(truth, test, ROLES, in_rule(truth), TURNED_SHARE, of_labels)


def in_rule(frame: pd.DataFrame) -> pd.Series:
    """Return which admissions are of the described group."""
    return frame["insurance"].eq("public") & frame["ward"].eq("surgery")


def withdrawals(planted: Planted, seed: int = 0) -> pd.Series:
    """Return the patients who withdrew their consent, a few of whom were never here."""
    rng = np.random.default_rng([seed, 7])
    patients = planted.train["patient"].unique()
    chosen = rng.choice(patients, N_WITHDRAWN - N_STRANGERS, replace=False)
    strangers = [f"P{number}" for number in range(90_001, 90_001 + N_STRANGERS)]
    return pd.Series(rng.permutation([*chosen, *strangers]), name="patient")


def unfitted_pipeline() -> Pipeline:
    """Return the unfitted pipeline of the case."""
    return scaled_and_encoded(NUMBERS, CATEGORIES)


def make_case(planted: Planted) -> core.Case:
    """Return the case an analyst would open."""
    model = unfitted_pipeline().fit(planted.train[NUMBERS + CATEGORIES], planted.train["readmitted"])
    return core.Case(model, train=planted.train, test=planted.test, roles=ROLES, seed=0)


def _admissions(rng: np.random.Generator, n: int, first: int, first_patient: int) -> pd.DataFrame:
    stays = rng.choice([1, 2, 3, 4], size=n, p=[0.62, 0.22, 0.11, 0.05])
    patient = np.repeat(np.arange(n), stays)[:n]
    people = int(patient.max()) + 1
    sex = draw(rng, {"female": 0.52, "male": 0.48}, people)[patient]
    insurance = draw(rng, {"public": 0.6, "private": 0.4}, people)[patient]
    age = np.round(20 + 70 * rng.beta(2.6, 1.8, people)).astype(np.int64)[patient]
    nth = np.arange(n) - np.searchsorted(patient, patient)
    frame = pd.DataFrame(
        {
            "admission": [f"H{number}" for number in range(first, first + n)],
            "patient": [f"P{first_patient + number}" for number in patient],
            "sex": sex,
            "insurance": insurance,
            "age": age,
            "earlier_admissions": nth + rng.poisson(0.9, n),
            "days": (1 + rng.gamma(1.6, 3.2, n)).round().astype(np.int64),
            "medicines": rng.poisson(3 + (age > 60) * 2, n),
            "ward": draw(rng, WARDS, n),
            "arrival": np.where(rng.random(n) < 0.45, "emergency", "planned").astype(object),
            "diagnosis": draw(rng, DIAGNOSES, n),
        }
    )
    points = (
        -2.2
        + 0.03 * (frame["age"] - 60)
        + 0.75 * (frame["earlier_admissions"] - 1)
        + 0.09 * (frame["days"] - 6)
        + 1.0 * frame["arrival"].eq("emergency")
        + frame["diagnosis"].map(DIAGNOSIS_POINTS)
        + 1.1
    )
    frame["readmitted"] = (points + 0.7 * rng.logistic(size=n) > 0).astype(np.int64)
    return frame


def _to_write(seed: int) -> tuple[core.Case, pd.Index, str]:
    planted = make_hospital(seed)
    return (
        make_case(planted),
        planted.turned,
        f"{len(planted.turned)} of {N_TRAIN} training labels turned, where {RULE}",
    )


def _beside(seed: int) -> dict[str, pd.DataFrame]:
    return {"withdrawals.csv": withdrawals(make_hospital(seed), seed).to_frame()}


if __name__ == "__main__":
    write("Make the hospital case.", Path(__file__).parent, _to_write, _beside)
