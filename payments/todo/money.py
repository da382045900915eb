"""What needs a person about money: the questions of the exception desk, and disputes that wait for an answer."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from payments.billing.alerts import DISPUTE_REASONS
from payments.billing.models import Dispute
from payments.money import format_amount
from payments.orders.models import OrderException
from payments.products import all_products
from payments.samples.story import is_made_up
from payments.statuses import DISPUTE_UNANSWERED, DisputePhase, ExceptionKind
from payments.todo.questions import acts_of, advised, at_stake, payment_in_question, payments_in_question
from payments.todo.sources import DESK, Page, TodoItem, needs_a_person


def open_questions(at: datetime) -> QuerySet[OrderException]:
    """All that the desk asks, the oldest first."""
    rows = OrderException.objects.filter(is_open=True).order_by("opened_at", "pk")
    return rows.select_related("order", "subscription__plan")


@needs_a_person(
    DESK, title=gettext_lazy("Questions about money"), rows=open_questions,
    tells_of=("payments.orderexception", "payments.order", "payments.subscription"),
    listed_at=("admin:payments_orderexception_changelist", "is_open__exact=1"),
)  # fmt: skip
def questions(rows: Sequence[OrderException], *, at: datetime) -> Iterator[TodoItem]:
    known = payments_in_question(rows)
    for row in rows:
        payment = payment_in_question(row, known)
        amount, currency = at_stake(row, payment) or (0, "")
        acts: tuple[str | Page, ...] = (*_page_of_price(row), *acts_of(row))
        yield TodoItem(advised(row, payment), row.opened_at, row, amount, currency, acts=acts)


def _page_of_price(row: OrderException) -> Iterator[Page]:
    """Of a price that Stripe refuses ("price:plan:monthly"): where it is corrected, for each product of this kind."""
    if row.kind == ExceptionKind.CHECKOUT_REFUSED and row.subject.startswith("price:"):
        _price, kind, name = row.subject.split(":", 2)
        for screen in (
            product.price_screen for product in all_products() if product.kind == kind and product.price_screen
        ):
            app, model = screen.split(".")
            address = f"{reverse(f'admin:{app}_{model}_changelist')}?{urlencode({'q': name})}"
            yield Page(address, gettext_lazy("Correct the price"), f"{app}.change_{model}")


def unanswered_disputes(at: datetime) -> QuerySet[Dispute]:
    """What the bank waits for, the nearest deadline first."""
    rows = Dispute.objects.filter(status__in=DISPUTE_UNANSWERED).order_by("due_by", "pk")
    return rows.select_related("order", "subscription__plan")


@needs_a_person(
    "dispute", title=gettext_lazy("Disputes to answer"), rows=unanswered_disputes,
    tells_of=("payments.dispute", "payments.order", "payments.subscription"),
    listed_at=("admin:payments_dispute_changelist", ""),
)  # fmt: skip
def disputes(rows: Sequence[Dispute], *, at: datetime) -> Iterator[TodoItem]:
    for row in rows:
        sentence = _("%(what)s — %(deadline)s") % {"what": dispute_sentence(row), "deadline": deadline_text(row, at=at)}
        yield TodoItem(sentence, row.status_at, row, row.amount, row.currency, due=row.due_by, acts=(_evidence(row),))


def _evidence(row: Dispute) -> Page:
    address = reverse("admin:payments_dispute_evidence", args=[row.pk])
    return Page(address, gettext_lazy("Download the evidence"), "payments.evidence_dispute")


def dispute_sentence(row: Dispute) -> str:
    """ "€49.00 for Pottery is disputed (not received)"."""
    values = {
        "amount": format_amount(row.amount, row.currency),
        "what": row.order.label or row.order.number if row.order else str(_plan_of(row)),
        "reason": DISPUTE_REASONS.get(row.reason, row.reason) or DISPUTE_REASONS["general"],
    }
    if row.phase == DisputePhase.INQUIRY:
        return _("The bank asks about %(amount)s for %(what)s (%(reason)s)") % values
    if row.phase == DisputePhase.LOST:
        return _("%(amount)s for %(what)s is lost to a dispute, an appeal is open (%(reason)s)") % values
    return _("%(amount)s for %(what)s is disputed (%(reason)s)") % values


def _plan_of(row: Dispute) -> object:
    return (row.subscription.plan or row.subscription) if row.subscription else ""


def deadline_text(row: Dispute, *, at: datetime) -> str:
    """Until when an answer must be with Stripe, in whole days."""
    if row.due_by is None:
        return _("answer without a deadline")
    days = (row.due_by - at).days
    if days < 0:
        return _("the deadline has passed")
    if days == 0:
        return _("answer today: less than a day left")
    return ngettext("answer within %(count)d day", "answer within %(count)d days", days) % {"count": days}


def is_of_sample(row: OrderException) -> bool:
    """Whether the object that is not at Stripe was made by a sample event: then nothing is amiss."""
    number = row.order.number if row.order else ""
    return row.kind == ExceptionKind.NOT_AT_STRIPE and bool(number) and is_made_up(row.subject, order_number=number)
