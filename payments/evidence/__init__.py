"""Evidence: all that we know about a disputed payment, packed for whoever answers the bank."""

from payments.evidence.case import Case
from payments.evidence.pack import pack_evidence

__all__ = ["Case", "pack_evidence"]
