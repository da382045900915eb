"""Evidence: all that we know about a disputed payment, packed for whoever answers the bank."""

from payments.evidence.case import Case
from payments.evidence.pack import missing_evidence, pack_evidence

__all__ = ["Case", "missing_evidence", "pack_evidence"]
