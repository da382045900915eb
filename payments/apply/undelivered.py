"""What could not be delivered is a question for staff: mails and alerts, what Stripe was to be told, refunds."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from payments.apply.apply import save_exceptions
from payments.apply.batch import guarded
from payments.apply.owed import DECIDED, ask_again, is_due_again, money_of, questions_of_debts
from payments.billing.models import Payment, Refund
from payments.effects.deliver import RESENT, Skip, try_again, watches_deliveries
from payments.effects.mail import NO_ADDRESS, Mail, find_writer
from payments.effects.models import Effect
from payments.names import REFUND_KIND
from payments.orders.models import OrderException
from payments.products import Question
from payments.statuses import REFUND_UNDONE, EffectStatus, ExceptionKind

NOT_SENT = gettext_noop("The e-mail “%(kind)s” to %(person)s was not sent: %(words)s")
IN_DOUBT = gettext_noop("The e-mail “%(kind)s” to %(person)s was sent, or not: the delivery broke off halfway.")
NO_PERSON = gettext_noop("The e-mail “%(kind)s” was not sent: nobody knows an address to write to.")
NOT_DONE = gettext_noop("“%(kind)s” was not carried out for %(person)s: %(words)s")
FAILED = (EffectStatus.DEAD, EffectStatus.UNCERTAIN)
SETTLED = (EffectStatus.DONE, EffectStatus.SKIPPED)


@watches_deliveries
def ask_about_delivery(effect: Effect, at: datetime) -> None:
    """Open the question of an effect that has failed or was refused; close it when that is over."""
    if effect.kind == REFUND_KIND:
        save_exceptions(questions_of_debts([effect.data["payment"]], at=at), at=at)
    elif effect.status in SETTLED:
        save_exceptions(_settled(effect), at=at)
    else:
        save_exceptions([_question(effect)], at=at)


@transaction.atomic
def look_after_undelivered(*, at: datetime) -> int:
    """For the timetable: ask about what nobody was asked about yet, close what is settled, refund once more each day.

    Returns how many refunds are tried again.
    """
    failed = Effect.objects.filter(status__in=FAILED).exclude(kind=REFUND_KIND)
    asked = OrderException.objects.filter(kind=ExceptionKind.NOT_DELIVERED)
    save_exceptions(map(_question, failed.exclude(key__in=asked.values("subject"))), at=at)
    for effect in Effect.objects.filter(key__in=asked.filter(is_open=True).values("subject")):
        if effect.status in SETTLED:
            save_exceptions(_settled(effect), at=at)
        elif effect.status != EffectStatus.UNCERTAIN and isinstance(_written(effect), Skip):
            # It looks once more, finds nothing to tell, and the question closes.
            try_again(key=effect.key, at=at)
    return _look_after_debts(at=at)


def _look_after_debts(*, at: datetime) -> int:
    unkept = Q(status=EffectStatus.DEAD) | Q(status=EffectStatus.PENDING, data__has_key="again")
    named = Effect.objects.filter(unkept, kind=REFUND_KIND).values_list("data__payment", flat=True)
    failed = Refund.objects.filter(status__in=REFUND_UNDONE).values_list("payment", flat=True)
    asked = OrderException.objects.filter(kind=ExceptionKind.REFUND_OWED, is_open=True)
    keys = {*named, *failed, *asked.values_list("values__payment", flat=True)}
    save_exceptions(questions_of_debts(keys, at=at), at=at)
    decided = set(OrderException.objects.filter(DECIDED).values_list("subject", flat=True))
    owed = money_of(Payment.objects.filter(key__in=keys).select_related("order", "subscription__customer"))
    due = [
        debt for money in owed.values() for debt in money.debts()
        if debt.subject not in decided and is_due_again(debt, money, at=at)
    ]  # fmt: skip
    return sum(ask_again(debt, at=at) for debt in due)


def _settled(effect: Effect) -> list[Question]:
    """Sent once more under a key of its own, a message answers for the first one as well."""
    first = effect.key.partition(RESENT)[0]
    asked = OrderException.objects.filter(kind=ExceptionKind.NOT_DELIVERED, is_open=True)
    rows = asked.filter(Q(subject=first) | Q(subject__startswith=f"{first}{RESENT}"))
    return [Question(ExceptionKind.NOT_DELIVERED, row.subject, row.order_id, False) for row in rows]


def _question(effect: Effect) -> Question:
    words = effect.outcome.partition("Error: ")[2] or effect.outcome
    values = {"kind": effect.kind, "person": ", ".join(_people(effect))[:100] or "?", "words": words[:250]}
    return Question(
        ExceptionKind.NOT_DELIVERED, effect.key, effect.order_id, True, _sentence(effect), values,
        effect.subscription_id,
    )  # fmt: skip


def _sentence(effect: Effect) -> str:
    if find_writer(effect.kind) is None:
        return NOT_DONE
    if effect.outcome.endswith(NO_ADDRESS):
        return NO_PERSON
    return IN_DOUBT if effect.status == EffectStatus.UNCERTAIN else NOT_SENT


def _people(effect: Effect) -> Iterator[str]:
    """To whom it was to go."""
    mail = _written(effect)
    if isinstance(mail, Mail):
        yield from mail.to
    elif effect.data.get("email"):
        yield effect.data["email"]
    elif effect.order:
        yield effect.order.email
    elif effect.subscription and effect.subscription.customer:
        yield effect.subscription.customer.email


def _written(effect: Effect) -> Mail | Skip | Exception | None:
    """The mail as it would be written now; the fault may be in the writing itself."""
    return guarded(partial(_write, effect))


def _write(effect: Effect) -> Mail | Skip | None:
    writer = find_writer(effect.kind)
    with transaction.atomic():
        return writer(effect) if writer else None
