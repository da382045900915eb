"""Why somebody has (no) access: payment → event → order → access → token → /encours, and the first broken link."""

from modules_access.doctor.diagnose import InvalidQuestion, Question, diagnose, parse_question
from modules_access.doctor.diagnosis import Chain, Diagnosis, Link, State, Verdict

__all__ = [
    "Chain", "Diagnosis", "InvalidQuestion", "Link", "Question", "State", "Verdict", "diagnose", "parse_question",
]  # fmt: skip
