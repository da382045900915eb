"""Why is something not as it should be? Any id, address or name → what is known → findings, each with its remedy.

Nothing is changed by asking, and nothing is locked. Products say theirs in `Product.find` and `Product.diagnose`.
"""

from payments.diagnosis.findings import Finding, Remedy, Severity, moment, rule
from payments.diagnosis.look_up import Named, look_up
from payments.diagnosis.records import Records

__all__ = ["Finding", "Named", "Records", "Remedy", "Severity", "look_up", "moment", "rule"]
