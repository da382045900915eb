"""One person's data: all of it for themselves, or taken out of what the law wants kept (docs/adr/0022-retention.md)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.blotting import all_told, blot_out, told
from accounts.fields import normal_address
from accounts.hooks import Erasure, Individual, all_extensions
from accounts.models import User

log = structlog.get_logger(__name__)
ALIAS_DOMAIN = "erased.invalid"
ALIAS_CHARS = 20
ACCOUNT, ACTS = "account", "acts_of_staff"


class NobodyKnown(ValueError):
    """Nothing is known here under that name."""


class ErasureRefused(ValueError):
    """Nothing was erased; the text says why, a line for each reason."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of what no longer tell who it was; nothing left: they were erased before."""

    alias: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def find_individual(text: str) -> Individual:
    """By the number of an account or by an address, also the one of a guest. Raises NobodyKnown.

    Whoever was erased is found by their former address too: its alias follows from it.
    """
    if text.isdecimal():
        user = User.objects.filter(pk=int(text)).first() if len(text) < 19 else None
        if user is None:
            raise NobodyKnown(f"No account has the number {text}.")
        return Individual(user.email, user)
    email = normal_address(text)
    for address in (email, alias_of(email)):
        person = Individual(address, User.objects.filter(email=address).first())
        if person.user or any(True for each in all_extensions() for _name in each.called(person)):
            return person
    raise NobodyKnown(f"Nothing is known here of {text!r}.")


def alias_of(email: str) -> str:
    """The address of nobody by which what must be kept stays together. Only who has SECRET_KEY can find it again."""
    if email.endswith(f"@{ALIAS_DOMAIN}"):
        return email
    return f"{salted_hmac('accounts.data_subject', email, algorithm='sha256').hexdigest()[:ALIAS_CHARS]}@{ALIAS_DOMAIN}"


def export_individual(person: Individual, *, at: datetime) -> dict[str, Any]:
    """Everything that is known of them, for JSON. Reads much, changes nothing."""
    found: dict[str, Any] = {"made_at": at, "about": person.email}
    if user := person.user:
        found[ACCOUNT] = {**told(user), "groups": [group.name for group in user.groups.order_by("name")]}
        found[ACTS] = all_told(_acts(user), leave_out=("user_id",))
    for extension in all_extensions():
        found |= {name: rows for name, rows in extension.known_of(person).items() if rows}
    log.info("person.exported", user=user.pk if user else None)
    return found


def why_not_yet(person: Individual, *, at: datetime) -> list[str]:
    """What must come to its end first."""
    reasons = [reason for each in all_extensions() for reason in each.under_way(person, at=at)]
    if person.user and person.user.has_any_rights:
        reasons.append(_("The account has rights in the admin: take them away first."))
    return reasons


def erase_individual(person: Individual, *, by: str, reason: str, at: datetime, dry_run: bool = False) -> Erased:
    """Take the person out of everything that is kept; delete what need not be kept. Raises ErasureRefused.

    All or nothing; done again it changes nothing. A dry run does the same and rolls it back.
    """
    if not (dry_run or reason.strip()):
        raise ErasureRefused(_("An erasure needs a reason."))
    with transaction.atomic():
        if person.user:
            # A row of its own: what a dry run does to it must not be taken for done.
            person = replace(person, user=User.objects.select_for_update().get(pk=person.user.pk))
        if reasons := why_not_yet(person, at=at):
            raise ErasureRefused("\n".join(reasons))
        words = frozenset(word for each in all_extensions() for word in each.called(person)) | _names(person)
        erasure = Erasure(person, alias_of(person.email), words - {alias_of(person.email)}, by, reason.strip(), at)
        counts = Counter[str]()
        for extension in all_extensions():
            counts.update(extension.forget(erasure))
        counts.update(_forget_account(erasure))
        erased = Erased(erasure.alias, {name: count for name, count in counts.items() if count})
        transaction.set_rollback(dry_run)
    if not dry_run:
        log.info("person.erased", alias=erased.alias, by=by, reason=erasure.reason, **{"rows": erased.total})
    return erased


def _names(person: Individual) -> frozenset[str]:
    return frozenset({person.email, person.user.name if person.user else ""}) - {""}


def _acts(user: User) -> Any:
    """What staff did to the account."""
    return LogEntry.objects.filter(content_type__app_label="accounts", content_type__model="user", object_id=user.pk)


def _forget_account(erasure: Erasure) -> dict[str, int]:
    """The account stays as a number that others refer to; nobody can sign in to it."""
    counts = {ACTS: blot_out(LogEntry.objects.filter(_tells_of(erasure.words)), erasure.words)}
    user = erasure.person.user
    if user and user.email != erasure.alias:
        user.email, user.name, user.is_active = erasure.alias, "", False
        # By its old id the system from which it was imported still tells who it was.
        user.email_confirmed_at = user.last_login = user.external_id = user.erasure_asked_at = None
        user.set_unusable_password()
        user.save()
        counts[ACCOUNT] = 1
    return counts


def _tells_of(words: frozenset[str]) -> Q:
    told = Q(pk__in=())
    for word in words:
        told |= Q(change_message__icontains=word) | Q(object_repr__icontains=word)
    return told
