"""What is wrong and needs somebody now: rules that look, alerts that open and close by themselves, one mail for each.

An app adds a rule by a function with `@alert_rule` in its `alerts.py`, imported at start-up.
"""

from payments.alerts.rules import AlertSeverity, Look, Trouble, alert_rule

__all__ = ["AlertSeverity", "Look", "Trouble", "alert_rule"]
