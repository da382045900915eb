"""Why somebody has (no) access: payment → event → order → access → token → /encours, and the first broken link."""

from modules_access.doctor.diagnose import DoctorQuestion, InvalidQuestion, diagnose, diagnose_orders, parse_question
from modules_access.doctor.diagnosis import Chain, Conclusion, Diagnosis, Link, LinkState

__all__ = [
    "Chain",
    "Conclusion",
    "Diagnosis",
    "DoctorQuestion",
    "InvalidQuestion",
    "Link",
    "LinkState",
    "diagnose",
    "diagnose_orders",
    "parse_question",
]  # fmt: skip
