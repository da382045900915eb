"""A little of everything that staff may look at, come about as in real life."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group

from modules_access.models import PlanOpening, Scope
from modules_access.services.keys import create_key
from payments.alerts.watch import forget_looks, watch
from payments.backfill.models import BackfillRun
from payments.billing.models import Dispute, Payment, Plan, Refund, Subscription
from payments.heartbeats import WORKER, note_heartbeat
from payments.incidents.models import Incident
from payments.incidents.opening import Switches, open_incident
from payments.incidents.report import figures_at
from payments.ledger.models import HeldType, RefusedDeliveries
from payments.orders.models import Order, OrderException
from payments.payouts.judge import judge
from payments.payouts.models import BalanceEntry, Payout
from payments.processing.replay_runs import Selection, start_run
from payments.reconcile.models import ReconcileRun
from payments.statuses import ExceptionKind
from registrations.models import Registration, WaitingEntry
from tests.support.factories import ActivityFactory, RegistrationFactory, make_staff
from tests.support.modules import make_grant, make_learner, make_module, make_token
from tests.support.road import NOON, event_of, hear
from tests.support.shop import open_shop
from tests.support.subscriber import make_plans
from tests.support.subscriptions import make_customer, make_subscription, paid, refs, tell, told

STORY = (
    "checkout.session.completed",
    "payment_intent.succeeded",
    "refund.created",
    "charge.dispute.created",
)


def make_everything() -> None:
    """More than one of what there can be many of, so that a query for each would show."""
    open_shop()
    activity = ActivityFactory.create(slug="raku")
    tell_of_all(RegistrationFactory.create(activity=activity))
    HeldType.objects.create(type="charge.refunded", reason="looks odd", held_by=make_staff())
    Group.objects.create(name="Support")
    RefusedDeliveries.objects.create(hour=NOON, code="invalid_signature", count=3, last_at=NOON, host="shop.example")
    ReconcileRun.objects.create(started_at=NOON, since=NOON, until=NOON)
    note_heartbeat(WORKER, at=NOON, cpu_percent=12.0)
    begin_incident()
    forget_looks()  # of the tests before: made once for many tests, it may come before what each forgets
    watch(at=NOON + timedelta(minutes=5))
    lost = {"id": "evt_lost", "type": "invoice.paid", "occurred_at": NOON.isoformat(), "trouble": ""}
    BackfillRun.objects.create(started_at=NOON, since=NOON, until=NOON, missing=1, gap=1, events=[lost])
    start_run(Selection(types=("refund.created",), statuses=("PROCESSED",)), by=None, reason="why not", at=NOON)
    plan = sell_plan()
    for name in ("ada", "grace", "mary"):
        subscribe(name)
    for name in ("Ali Benali", "Zoë Martin", "Max Meyer"):
        hear(event_of(RegistrationFactory.create(activity=activity, name=name), "checkout.session.completed"))
        WaitingEntry.objects.create(
            activity=activity, name=name, email="waits@example.com", language="fr", created_at=NOON
        )
    for name in ("po_1", "po_2"):
        pay_out(name)
    module, learner = make_module(), make_learner("learner@example.com")
    PlanOpening.objects.create(plan=plan, is_all=False).modules.add(module)
    for name in ("school", "shop", "archive"):
        create_key(name=name, scopes=[Scope.VERIFY], module=module, expires_at=None, by=None, at=NOON)
        make_token(learner, module, grant=make_grant(learner, module))


def tell_of_all(registration: Registration) -> Order:
    """Its order, paid, partly given back, disputed, with an open question."""
    hear(*(event_of(registration, event_type) for event_type in STORY))
    OrderException.objects.create(
        order=registration.order, kind=ExceptionKind.NO_PLACE, subject="pi_1", detail="<b>full</b>", opened_at=NOON
    )
    registration.order.refresh_from_db()
    return registration.order


def begin_incident() -> None:
    """Sales are paused; another one is over, with its report."""
    figures = figures_at(at=NOON)
    Incident.objects.create(
        reason="HTTP 500", opened_by="ada", opened_at=NOON, state="CLOSED", closed_at=NOON, before=figures,
        report={"after": figures, "meanwhile": {"found": 3, "failed": 0}}, held=["*"], endpoints=["we_1"],
    )  # fmt: skip
    switches = Switches(pause_sales=True, notify_people=True)
    open_incident(reason="HTTP 502", by="ada", switches=switches, ends_at=NOON + timedelta(hours=1), at=NOON)


def pay_out(name: str) -> Payout:
    """A payout that does not add up: one entry for all money there is, as another balance would tell it."""
    payout = make_payout(name)
    for kind, model in (("payment", Payment), ("refund", Refund), ("dispute", Dispute)):
        for row in model.objects.all():
            BalanceEntry.objects.create(
                stripe_id=f"txn_{name}_{kind}_{row.pk}", payout=payout, kind=kind, type=kind, amount=4000, fee=99,
                net=3901, currency="eur", original_amount=4000, original_currency="eur", source=str(row),
                created_at=NOON, available_at=NOON, **{kind: row},
            )  # fmt: skip
    judge(payout, at=NOON)
    return payout


def make_payout(name: str, **different: Any) -> Payout:
    """49.00 that are at the bank; nobody knows yet what is in it."""
    usual = {
        "amount": 4900, "currency": "eur", "status": "paid", "is_automatic": True, "is_complete": True,
        "arrival_date": NOON.date(), "created_at": NOON, "livemode": False, "read_at": NOON,
    }  # fmt: skip
    return Payout.objects.create(stripe_id=name, **{**usual, **different})


def sell_plan() -> Plan:
    """Paid monthly, with a price at Stripe."""
    plan, _yearly = make_plans()
    plan.price = "price_monthly"
    plan.save()
    return plan


def subscribe(name: str) -> Subscription:
    """Somebody of this name has subscribed and paid the first month."""
    customer = make_customer(f"cus_{name}", email=f"{name}@example.com", name=name.title(), city="Lyon")
    row = make_subscription(f"sub_{name}", customer=customer)
    names = {"subscription": f"sub_{name}", "customer": f"cus_{name}"}
    invoice = refs(**names, invoice=f"in_{name}", payment_intent=f"pi_{name}", charge=f"ch_{name}")
    tell(told(refs=refs(**names)), paid(refs=invoice))
    row.refresh_from_db()
    return row
