"""Who is still to be told or to get money back after an activity was called off: read from what was done so far."""

from dataclasses import dataclass, field

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat

from payments.billing.models import Payment
from payments.effects.models import Effect
from payments.money import format_amount
from payments.refunds.refund import KIND as REFUND
from payments.statuses import DisputeState, OrderStatus
from registrations.models import HIDDEN_STATUSES, Activity, Registration, RegistrationStatus, WaitingEntry

# The refund's own key: asked for twice, it happens once.
REFUND_KEY = "called-off"
LEFT = (*HIDDEN_STATUSES, RegistrationStatus.REFUNDED)


def unfinished() -> QuerySet[Activity]:
    """The activities that were called off and of which somebody is still to be told or refunded. One query."""
    called_off = Activity.objects.filter(called_off_at__isnull=False).order_by("pk")
    return called_off.filter(Exists(to_do(OuterRef("pk"))) | Exists(waiting_to_tell(OuterRef("pk"))))


def to_do(activity_id: int | OuterRef) -> QuerySet[Registration]:
    """The registrations that are not told yet, or with money that nobody has asked back; each says which of them.

    Who has left (ended unpaid, refunded, dispute lost) is not told. Money in an open dispute lies with the bank: it is
    asked back once the dispute is won.
    """
    is_told = Exists(Effect.objects.filter(key=_key("registration.called_off:", "pk")))
    is_due = Exists(_money().filter(order=OuterRef("order")))
    rows = concerned(activity_id).annotate(is_told=is_told, is_refund_due=Q(_IS_PAID) & is_due)
    return rows.filter(Q(is_told=False) | Q(is_refund_due=True))


def concerned(activity_id: int | OuterRef) -> QuerySet[Registration]:
    """Who still counts on the activity."""
    rows = Registration.objects.filter(activity_id=activity_id).exclude(status__in=LEFT)
    return rows.exclude(order__dispute_state=DisputeState.LOST)


def waiting_to_tell(activity_id: int | OuterRef) -> QuerySet[WaitingEntry]:
    """Who waits for an offer that will not come, and is not told yet."""
    is_told = Exists(Effect.objects.filter(key=_key("waiting.called_off:", "pk")))
    return WaitingEntry.objects.filter(~is_told, activity_id=activity_id, offered__isnull=True)


@dataclass(frozen=True, slots=True)
class Prospect:
    """What calling an activity off would do: people told, refunds, and their totals in words, one per currency."""

    told: int
    refunds: int
    totals: list[str] = field(default_factory=list)


def prospect(activity: Activity) -> Prospect:
    """Counted now; people go on paying until sales are closed."""
    rows = concerned(activity.pk)
    left = F("received") - F("refunded")
    money = Payment.objects.filter(order__in=rows.filter(_IS_PAID).values("order"), received__gt=F("refunded"))
    sums = money.order_by("currency").values_list("currency").annotate(total=Sum(left))
    totals = [format_amount(total, currency) for currency, total in sums]
    told = rows.count() + WaitingEntry.objects.filter(activity=activity, offered__isnull=True).count()
    return Prospect(told, money.count(), totals)


_IS_PAID = Q(order__status=OrderStatus.PAID, order__dispute_state=DisputeState.NONE)


def _key(begins: str, of: str) -> Concat:
    return Concat(Value(begins), Cast(OuterRef(of), CharField()), output_field=CharField())


def _money() -> QuerySet[Payment]:
    """Payments with money left for which this refund is not asked yet."""
    ends = Concat(Value(f":{REFUND_KEY}:"), Cast(OuterRef("pk"), CharField()), output_field=CharField())
    asked = Effect.objects.filter(order=OuterRef("order"), kind=REFUND, key__endswith=ends)
    return Payment.objects.filter(~Exists(asked), received__gt=F("refunded"))
