"""The links of the person and of the access: the account, the row, its token, and what /encours makes of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from modules_access.doctor.links import ACCESS, Link, broken, fine, listed, moment, not_needed, until
from modules_access.models import AccessToken, AccessType, ModuleAccess
from modules_access.services.grants import ACTS
from modules_access.settle import STATE, differs, state_of
from modules_access.wanted import Wanted

ACCOUNT, TOKEN, ENCOURS = "account", "token", "encours"
REPAIR = "manage.py modules_repair"


def account_link(user: User) -> Link:
    """Whether the person can sign in at all."""
    told = user.email
    facts: dict[str, Any] = {"user": user.pk, "is_active": user.is_active, "confirmed_at": user.email_confirmed_at}
    if not user.is_active:
        remedy = _("Make it active again on the person’s page, if it was closed by mistake.")
        sentence = _("The account %s is closed: nobody can sign in with it.") % told
        return broken(ACCOUNT, sentence, remedy=remedy, about=user, **facts)
    if user.is_begun_only:
        remedy = _("Let them ask for a new link: “Create an account” with the same address.")
        sentence = _("%s has begun an account and never opened the link that was sent.") % told
        return broken(ACCOUNT, sentence, remedy=remedy, about=user, **facts)
    if user.email_confirmed_at is None:
        return fine(ACCOUNT, _("%s has an account; the address is not confirmed.") % told, about=user, **facts)
    return fine(ACCOUNT, _("%s has an account and a confirmed address.") % told, about=user, **facts)


def no_account_link(email: str, *, customers: Sequence[str]) -> Link:
    """Nobody has signed up with this address. `customers`: what Stripe calls those who have it."""
    sentence = _("Nobody here has the address %s.") % email
    if customers:
        sentence += " " + _("Stripe knows it as our customer %s.") % listed(customers)
    remedy = _("Let them create an account with the address with which they paid: what is theirs joins it.")
    return broken(ACCOUNT, sentence, remedy=remedy, customers=list(customers))


def access_link(wanted: Wanted | None, row: ModuleAccess | None, *, source: str, at: datetime) -> Link:
    """Whether the row is there and says what its source says. `wanted` None: a grant, its own source."""
    if row is None:
        if wanted is None or not wanted.gives:
            return not_needed(ACCESS, _("There is none, since nothing gives one."))
        remedy = _("Repair it: the access is made as it should have been.")
        return broken(
            ACCESS, _("There is no access, although %s gives one.") % source, remedy=remedy, command=REPAIR
        )  # fmt: skip
    facts = _facts(row)
    if wanted and differs(wanted, row, at=at):
        names = [name for name, value in state_of(wanted, row, at=at).items() if value != getattr(row, name)]
        told = {"access": row.number, "source": source, "columns": _labels(names)}
        sentence = _("%(access)s does not say what %(source)s says (%(columns)s).") % told
        remedy = _("Repair it: the access then says what gives it.")
        return broken(ACCESS, sentence, remedy=remedy, command=REPAIR, about=row, **facts)
    if row.revoked_at:
        remedy = _("Give a new access in the admin, if that was wrong.")
        return broken(ACCESS, _taken_back(row), remedy=remedy, about=row, **facts)
    if not row.is_active:
        told = {"access": row.number, "reason": row.get_ended_reason_display()}
        return fine(ACCESS, _("%(access)s has ended with what gave it: %(reason)s") % told, about=row, **facts)
    told = {"access": row.number, "until": until(row.expires_at)}
    # A token says itself that its time is over; a subscription's date moves with its payments.
    if row.expires_at and row.expires_at <= at and row.access_type in (AccessType.PURCHASE, AccessType.GRANT):
        remedy = _("Give a new access or extend this one in the admin, or let them buy it again.")
        return broken(ACCESS, _("%(access)s has run out (%(until)s).") % told, remedy=remedy, about=row, **facts)
    return fine(ACCESS, _("%(access)s is active (%(until)s).") % told, about=row, **facts)


def _labels(names: Iterable[str]) -> str:
    return listed(getattr(ModuleAccess._meta.get_field(name), "verbose_name", name) for name in names)


def _facts(row: ModuleAccess) -> dict[str, Any]:
    return {"access": row.number, **{name: getattr(row, name) for name in STATE}, "revoked_at": row.revoked_at}


def _taken_back(row: ModuleAccess) -> str:
    acts = [act for act in row.metadata.get(ACTS, []) if act["what"] == "revoked"]
    told = {"access": row.number, "moment": moment(row.revoked_at) if row.revoked_at else ""}
    if not acts:
        return _("%(access)s was taken back by staff (%(moment)s).") % told
    said = {**told, "by": acts[-1]["by"], "reason": acts[-1]["reason"]}
    return _("%(access)s was taken back by %(by)s (%(moment)s): “%(because)s”.") % said


def token_link(token: AccessToken | None, *, at: datetime) -> Link:
    """Whether the token, if it takes one, is still good."""
    if token is None:
        return not_needed(TOKEN, _("It takes no token."))
    facts: dict[str, Any] = {"used": token.used, "max_usage": token.max_usage, "expires_at": token.expires_at}
    told = {"token": token.prefix, "used": token.used, "most": token.max_usage, "until": until(token.expires_at)}
    remedy = _("Make a new token, if they should go on.")
    if token.revoked_at:
        said = {**told, "by": token.revoked_by, "reason": token.revoked_reason}
        sentence = _("The token %(token)s was revoked by %(by)s: “%(because)s”.") % said
    elif token.expires_at <= at:
        sentence = _("The token %(token)s has expired (%(until)s).") % told
    elif not token.uses_left:
        sentence = _("The token %(token)s is used up: %(used)d of %(most)d.") % told
    else:
        sentence = _("The token %(token)s is good (%(until)s): used %(used)d of %(most)d times.") % told
        return fine(TOKEN, sentence, about=token, **facts)
    return broken(TOKEN, sentence, remedy=remedy, about=token, **facts)


def encours_link(user: User, row: Any) -> Link:
    """What the person's page does with it. `row` brings `lets_in`, the page's own rule."""
    if row is not None and row.lets_in and row.user_id == user.pk and user.is_active:
        return fine(ENCOURS, _("/encours shows it and lets them in."), lets_in=True)
    remedy = _("It follows from what is broken above.")
    return broken(ENCOURS, _("/encours does not let them in."), remedy=remedy, lets_in=False)
