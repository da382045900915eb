"""Who hears of an incident: staff when it opens and, with the report, when it is closed; of the buyers only those whose
order waits for payment, since nobody else has anything to do differently. Each once, and again when it is over.
"""

from collections.abc import Iterator
from hashlib import sha256

from django.conf import settings
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_noop

from payments.effects.deliver import IS_OVER, SUBJECT_GONE, Skip
from payments.effects.enqueue import EffectRequest
from payments.effects.mail import Mail, mails, to_staff
from payments.effects.models import Effect
from payments.incidents.models import Incident
from payments.incidents.report import lines, meanwhile
from payments.orders.models import Order
from payments.products import language_of, product_of
from payments.statuses import AWAITING_PAYMENT, EffectStatus

OPENED, CLOSED = "alert.incident_opened", "alert.incident_closed"
BEGAN, OVER = "incident.began", "incident.over"
# Orders wait for half an hour, some for a day: on the largest site that is less than this.
MOST_TOLD = 10_000
DOES_NOT_KNOW = Skip(gettext_noop("Who was not told that it began is not told that it is over."))


def people_to_tell(incident: Incident) -> Iterator[EffectRequest]:
    """One mail for each address with an order that waits for payment, about the newest of them."""
    waiting = Order.objects.filter(status__in=AWAITING_PAYMENT, amount__gt=0).order_by("-pk")
    told = set[str]()
    for pk, address in waiting.values_list("pk", Coalesce("user__email", "email"))[:MOST_TOLD]:
        if address and address not in told:
            told.add(address)
            yield EffectRequest(_key(BEGAN, incident, address), BEGAN, pk, {"incident": incident.pk})


def people_who_were_told(incident: Incident) -> Iterator[EffectRequest]:
    """The second mail, for whom the first was noted; whether it went out, that one looks when it is written."""
    first = Effect.objects.filter(key__startswith=f"{BEGAN}:{incident.pk}:", order__isnull=False)
    for key, order_id in first.values_list("key", "order_id"):
        data = {"incident": incident.pk, "first": key}
        yield EffectRequest(key.replace(BEGAN, OVER, 1), OVER, order_id, data)


def _key(kind: str, incident: Incident, address: str) -> str:
    """The address itself stands in no key."""
    return f"{kind}:{incident.pk}:{sha256(address.lower().encode()).hexdigest()[:32]}"


@mails(OPENED)
def incident_opened(effect: Effect) -> Mail | Skip:
    incident = Incident.objects.filter(pk=effect.data["incident"]).first()
    return to_staff({"incident": incident}, page=incident) if incident else SUBJECT_GONE


@mails(CLOSED)
def incident_closed(effect: Effect) -> Mail | Skip:
    incident = Incident.objects.filter(pk=effect.data["incident"]).first()
    if incident is None:
        return SUBJECT_GONE
    return to_staff({"incident": incident, "lines": _Lines(incident)}, page=incident)


class _Lines:
    """The tables of the report, put into words only when the mail is written: in its reader's language."""

    def __init__(self, incident: Incident) -> None:
        self.incident = incident

    def then_and_now(self) -> list[tuple[str, str, str]]:
        return list(lines(self.incident))

    def meanwhile(self) -> list[tuple[str, str]]:
        return meanwhile(self.incident)


@mails(BEGAN)
def incident_began(effect: Effect) -> Mail | Skip:
    incident = Incident.objects.filter(pk=effect.data["incident"]).first()
    if incident is None or effect.order is None:
        return SUBJECT_GONE
    return IS_OVER if incident.is_closed else _to_buyer(incident, effect.order)


@mails(OVER)
def incident_over(effect: Effect) -> Mail | Skip:
    incident = Incident.objects.filter(pk=effect.data["incident"]).first()
    if incident is None or effect.order is None:
        return SUBJECT_GONE
    if not Effect.objects.filter(key=effect.data["first"], status=EffectStatus.DONE).exists():
        return DOES_NOT_KNOW
    return _to_buyer(incident, effect.order)


def _to_buyer(incident: Incident, order: Order) -> Mail:
    address = order.user.email if order.user else order.email
    path = product_of(order).page_in_mails(order)
    context = {
        "incident": incident, "order": order, "link": f"{settings.SITE_URL}{path}" if path else "",
        "is_waiting": order.status in AWAITING_PAYMENT,
    }  # fmt: skip
    return Mail(to=(address,) if address else (), language=language_of(order), context=context)
