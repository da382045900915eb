"""What modules know of one person, for themselves; accesses name an account, so that there is little to erase."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.blotting import blot_out, told
from accounts.hooks import AccountExtension, Erasure, Individual, extend_accounts
from modules_access.models import AccessToken, ModuleAccess, Purchase


class ModulesOfPerson(AccountExtension):
    """What somebody may open hangs on an account, which is nobody's any more."""

    def known_of(self, person: Individual) -> Mapping[str, Any]:
        """Of tokens when and for what, not how one gets in with them."""
        if person.user is None:
            return {}
        kinds: dict[str, Any] = {
            "module_purchases": Purchase,
            "module_accesses": ModuleAccess,
            "module_tokens": AccessToken,
        }
        return {
            name: [
                {"module": row.module.title, **told(row)}
                for row in model._default_manager.filter(user=person.user).select_related("module").order_by("pk")
            ]
            for name, model in kinds.items()
        }

    def under_way(self, person: Individual, *, at: datetime) -> Iterator[str]:
        """What lets them in now."""
        if person.user:
            for row in ModuleAccess.objects.open(at).filter(user=person.user).select_related("module").order_by("pk"):
                told = _("The access %(number)s to %(module)s is open: take it back first, or wait for its end.")
                yield told % {"number": row.number, "module": row.module.title}

    def forget(self, erasure: Erasure) -> Mapping[str, int]:
        """Reasons and details that name the person."""
        user = erasure.person.user
        if user is None:
            return {}
        return {
            "module_accesses": blot_out(ModuleAccess.objects.filter(user=user), erasure.words),
            "module_tokens": blot_out(AccessToken.objects.filter(user=user), erasure.words),
        }


extend_accounts(ModulesOfPerson())
