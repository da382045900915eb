"""What was sent or done because of a change, and why not: mails with their text, refunds, questions for staff."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from payments.effects.mail import ALERT, find_writer
from payments.effects.models import Effect
from payments.money import format_amount
from payments.names import REFUND_KIND
from payments.orders.models import OrderException
from payments.statuses import EffectStatus
from payments.timeline.moments import Kind, Moment
from payments.timeline.statements import Statement

EFFECT, QUESTION = "payments.effect", "payments.orderexception"
UNSENT = (EffectStatus.PENDING, EffectStatus.CLAIMED)


def effects_of(owned: Q, *, limit: int) -> "QuerySet[Effect]":
    """The newest of them."""
    return Effect.objects.filter(owned).order_by("-pk")[:limit]


def told_by_effects(effects: Iterable[Effect], told: Statement) -> Iterator[Moment]:
    """The moments of one order or subscription."""
    for effect in effects:
        if effect.kind == REFUND_KIND:
            yield _refund(effect, told)
        elif find_writer(effect.kind):
            yield _mail(effect)
        else:
            yield _other(effect)


def _mail(effect: Effect) -> Moment:
    sent = effect.sent or {}
    subject, to = sent.get("subject", ""), ", ".join(sent.get("to", ()))
    by, reason = effect.data.get("by", ""), effect.data.get("reason", "")
    return Moment(
        _when(effect), Kind.ALERT if effect.kind.startswith(ALERT) else Kind.MESSAGE, _mail_sentence(effect, to),
        detail=_("Sent again: %(reason)s") % {"reason": reason} if by else "", by=by, subject=subject,
        text=sent.get("text", ""), links=((effect, effect.kind),), tells_of=(EFFECT,),
    )  # fmt: skip


def _mail_sentence(effect: Effect, to: str) -> str:
    why = {"why": _(effect.outcome) if effect.outcome else ""}
    match effect.status:
        case EffectStatus.DONE if to:
            return _("Sent to %(address)s.") % {"address": to}
        case EffectStatus.DONE:
            return _("Sent; the text of that day was not kept.")
        case EffectStatus.SKIPPED:
            return _("Not sent: %(why)s") % why
        case EffectStatus.UNCERTAIN:
            return _("It is not certain that it was sent: %(why)s") % why
        case EffectStatus.DEAD:
            return _("Given up, not sent: %(why)s") % why
    if effect.attempts and effect.outcome:
        again = {**why, "moment": _moment(effect.not_before)}
        return _("Not sent yet: %(why)s Next try: %(moment)s") % again
    return _("Is going to be sent: %(moment)s") % {"moment": _moment(effect.not_before)}


def _when(effect: Effect) -> datetime:
    """When it went out; else when that was found out, or when it was asked for."""
    if effect.status in (EffectStatus.SKIPPED, EffectStatus.UNCERTAIN, EffectStatus.DEAD):
        return effect.claimed_at or effect.created_at
    return effect.delivered_at or effect.created_at


def _refund(effect: Effect, told: Statement) -> Moment:
    """Who asked for the money to go back, and whether Stripe has taken it."""
    amount, key, reason = effect.data.get("amount"), effect.data.get("payment", ""), effect.data.get("reason", "")
    currency = next((each.currency for each in told.payments if each.key == key), told.owner.currency)
    sentence = _("A refund of all that is left was asked for.")
    if amount is not None and currency:
        sentence = _("A refund of %(amount)s was asked for.") % {"amount": format_amount(amount, currency)}
    by = effect.data.get("by", "")
    return Moment(
        effect.created_at, Kind.STAFF if by else Kind.SYSTEM, sentence, followed=tuple(_outcome(effect)), by=by,
        detail=_(reason) if reason else "", links=((effect, effect.kind),), tells_of=(EFFECT,),
    )  # fmt: skip


def _outcome(effect: Effect) -> Iterator[str]:
    why = _(effect.outcome) if effect.outcome else ""
    match effect.status:
        case EffectStatus.DONE:
            yield _("Stripe has taken it.")
        case EffectStatus.SKIPPED:
            yield _("It was not carried out: %(why)s") % {"why": why}
        case EffectStatus.DEAD:
            yield _("It was given up: %(why)s") % {"why": why}
        case _ if effect.outcome:
            yield _("Not done yet: %(why)s") % {"why": why}
        case _:
            yield _("It is under way.")


def _other(effect: Effect) -> Moment:
    """What another program is told: a subscription that ends, a customer's new address."""
    by = effect.data.get("by", "")
    sentences = {
        "subscription.end": _("Stripe was told to end the subscription."),
        "customer.update": _("Stripe was told the customer’s address and name."),
    }
    return Moment(
        effect.created_at, Kind.STAFF if by else Kind.SYSTEM, sentences.get(effect.kind, effect.kind),
        followed=tuple(_outcome(effect)), by=by, links=((effect, effect.kind),), tells_of=(EFFECT,),
    )  # fmt: skip


def told_by_questions(questions: Iterable[OrderException]) -> Iterator[Moment]:
    """When each was asked, and how it found its end."""
    for row in questions:
        kind = str(row.get_kind_display())
        link = ((row, row.subject),)
        yield Moment(row.opened_at, Kind.QUESTION, f"{kind}.", detail=row.detail_text, links=link, tells_of=(QUESTION,))
        if not row.is_open and row.closed_at:
            by = str(getattr(row, "closed_by_name", None) or "")
            yield Moment(
                row.closed_at, Kind.STAFF if by else Kind.QUESTION, _("Settled: %(kind)s.") % {"kind": kind}, by=by,
                detail=row.closed_reason if by else _(row.closed_reason), links=link, tells_of=(QUESTION,),
            )  # fmt: skip


def _moment(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
