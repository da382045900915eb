"""The cockpit: one file per screen. Screens show and ask; the rules live in the services that they call."""

from payments.admin import billing, effects, exceptions, ledger, orders, switches

__all__ = ["billing", "effects", "exceptions", "ledger", "orders", "switches"]
