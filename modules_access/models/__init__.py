"""The tables of this app."""

from modules_access.models.access import AccessEnd, AccessType, ModuleAccess
from modules_access.models.modules import ORDER_KIND, Module, PlanOpening, Purchase
from modules_access.models.tokens import AccessToken, PassUse, Scope, ServiceKey, TokenChecks

__all__ = [
    "ORDER_KIND",
    "AccessEnd", "AccessToken", "AccessType", "Module", "ModuleAccess", "PassUse", "PlanOpening", "Purchase",
    "Scope",
    "ServiceKey", "TokenChecks",
]  # fmt: skip
