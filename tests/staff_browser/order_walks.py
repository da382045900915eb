"""The walks through what is done with orders, with the questions about them, and with events."""

from django.contrib.admin.models import LogEntry

from payments.apply.undelivered import look_after_undelivered
from payments.billing.models import Dispute
from payments.effects.models import Effect
from payments.ledger.models import HeldType, PaymentEvent, Trigger
from payments.names import REFUND_KIND
from payments.orders.models import Order, OrderException
from payments.processing.models import ReplayRun, ReplayState
from payments.processing.replay_runs import Selection, cancel_run, start_run
from payments.statuses import EffectStatus, EventStatus, ExceptionKind, OrderStatus
from registrations.models import Activity, Registration
from tests.staff_browser.clerk import REASON, Clerk, walk
from tests.support.factories import ActivityFactory, RegistrationFactory
from tests.support.refunds import ask, pay
from tests.support.resync import sold
from tests.support.road import NOON, event_of, hear

PAID = "checkout.session.completed"


def order_of(name: str) -> Order:
    """Paid, of somebody among everything."""
    return Registration.objects.get(name=name).order


def make_late_payer() -> Registration:
    """Paid when somebody else had the last place."""
    activity = ActivityFactory.create(capacity=1)
    late = RegistrationFactory.create(activity=activity)
    hear(event_of(late, "checkout.session.expired"))
    RegistrationFactory.create(activity=activity)
    hear(event_of(late, PAID))
    return late


def make_run() -> ReplayRun:
    """Of one event, and no worker has taken it."""
    [event] = hear(event_of(RegistrationFactory.create(), PAID))
    return start_run(Selection(ids=(event.stripe_event_id,)), by=None, reason="why not", at=NOON)


@walk("order.refund")
def refund_an_order(clerk: Clerk) -> None:
    order = order_of("Ali Benali")

    clerk.does(order)

    assert order.effects.filter(kind=REFUND_KIND).count() == 1


@walk("order.resync_order_action")
def compare_an_order(clerk: Clerk) -> None:
    registration = RegistrationFactory.create()
    sold(registration).pay()

    clerk.does(registration.order)

    registration.order.refresh_from_db()
    assert registration.order.status == OrderStatus.PAID


@walk("dispute.evidence")
def download_evidence(clerk: Clerk) -> None:
    dispute = Dispute.objects.get()

    with clerk.page.expect_download() as download:
        clerk.presses(dispute)

    assert download.value.suggested_filename == f"{dispute.stripe_id}.zip"
    assert LogEntry.objects.filter(content_type__model="dispute", object_id=dispute.pk).count() == 1


# Questions about their money and their mails.


@walk("orderexception.refund")
def refund_in_question(clerk: Clerk) -> None:
    late = make_late_payer()

    clerk.does(late.order.exceptions.get())

    assert late.order.effects.filter(kind=REFUND_KIND).count() == 1


@walk("orderexception.refund_once_more")
def refund_again(clerk: Clerk) -> None:
    [effect] = ask(pay(RegistrationFactory.create()), amount=1000)
    Effect.objects.filter(pk=effect.pk).update(status=EffectStatus.DEAD, outcome="GatewayRefused: no money")
    look_after_undelivered(at=NOON)

    clerk.does(OrderException.objects.get(kind=ExceptionKind.REFUND_OWED))

    effect.refresh_from_db()
    assert effect.status == EffectStatus.PENDING


@walk("orderexception.accept_money")
def accept_money(clerk: Clerk) -> None:
    order = RegistrationFactory.create().order
    hear(event_of(order.registration, PAID, amount=1))

    clerk.does(order.exceptions.get())

    order.refresh_from_db()
    assert order.status == OrderStatus.PAID


@walk("orderexception.link")
def link_to_an_order(clerk: Clerk) -> None:
    registration = RegistrationFactory.create()
    names = {"order": "0a3c6a38-2b8f-4a39-9a5e-6f1c4c2f1a11", "registration": "", "payment_intent": "pi_lost"}
    hear(event_of(registration, "payment_intent.succeeded", subject=names))
    question = OrderException.objects.get(kind=ExceptionKind.UNKNOWN_ORDER, is_open=True)

    clerk.does(question, order=registration.order.number)

    assert registration.order.payments.filter(key="pi_lost").exists()


@walk("orderexception.seat")
def give_a_place(clerk: Clerk) -> None:
    late = make_late_payer()
    Activity.objects.filter(pk=late.activity_id).update(capacity=2)

    clerk.does(late.order.exceptions.get())

    late.refresh_from_db()
    assert late.holds_place


@walk("orderexception.send_once_more")
def send_again(clerk: Clerk) -> None:
    effect = order_of("Zoë Martin").effects.get()
    Effect.objects.filter(pk=effect.pk).update(status=EffectStatus.DEAD, outcome="no such mailbox")
    look_after_undelivered(at=NOON)

    clerk.does(OrderException.objects.get(kind=ExceptionKind.NOT_DELIVERED, subject=effect.key))

    effect.refresh_from_db()
    assert effect.status == EffectStatus.PENDING


@walk("orderexception.close")
def dismiss(clerk: Clerk) -> None:
    question = OrderException.objects.create(kind=ExceptionKind.UNKNOWN_ORDER, subject="evt_other", opened_at=NOON)

    clerk.does(question)

    question.refresh_from_db()
    assert question.closed_reason == REASON


# Events.


@walk("paymentevent.replay")
def replay(clerk: Clerk) -> None:
    event = PaymentEvent.objects.filter(order=order_of("Max Meyer")).get()

    clerk.does(event)

    assert event.attempt_rows.filter(trigger=Trigger.REPLAY).count() == 1


@walk("failures.replay_group")
def replay_a_group(clerk: Clerk) -> None:
    [event] = hear(event_of(RegistrationFactory.create(), PAID))
    died = {"status": EventStatus.DEAD, "error_kind": "KeyError", "error": "'amount_total'", "error_group": "a" * 16}
    PaymentEvent.objects.filter(pk=event.pk).update(**died)
    clerk.opens("payments_failures", "a" * 16)

    clerk.presses_button("Replay the group…")
    clerk.confirms()

    clerk.is_offered("cancel")
    assert ReplayRun.objects.get(event_ids=[event.pk]).state == ReplayState.RUNNING


@walk("replayrun.cancel")
def cancel_a_run(clerk: Clerk) -> None:
    run = make_run()

    clerk.presses(run)

    clerk.is_offered("go_on")
    run.refresh_from_db()
    assert run.state == ReplayState.CANCELED


@walk("replayrun.go_on")
def continue_a_run(clerk: Clerk) -> None:
    run = cancel_run(make_run(), by=None, at=NOON)

    clerk.agrees(run)

    clerk.is_offered("cancel")
    run.refresh_from_db()
    assert run.state == ReplayState.RUNNING


@walk("heldtype.add")
def hold_a_type(clerk: Clerk) -> None:
    clerk.adds(HeldType, type="charge.dispute.closed", reason=REASON)

    clerk.is_told()
    assert HeldType.objects.get(type="charge.dispute.closed").reason == REASON


@walk("heldtype.release")
def release(clerk: Clerk) -> None:
    held = HeldType.objects.get(type="charge.refunded")

    clerk.does(held)

    assert not HeldType.objects.filter(pk=held.pk).exists()
