"""What needs a person: oldest and dearest first, only what one may see, and never more than is asked for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments.billing.models import Dispute, Subscription
from payments.ledger.models import HeldType, PaymentEvent
from payments.orders.models import OrderException
from payments.processing.failure_groups import group_of
from payments.statuses import DisputePhase, DisputeStatus, EventStatus, ExceptionKind
from payments.todo import TodoItem, count_todo, find_todo
from payments.todo.sources import ITEMS_SHOWN, in_order
from tests.support.factories import NOON, ActivityFactory, OrderFactory, RegistrationFactory

DAY = timedelta(days=1)


def everything(_label):
    return True


def found(may_see=everything, at=NOON):
    return find_todo(count_todo(may_see, at=at), at=at)


def sentences(**options):
    return [item.sentence.replace("\N{NO-BREAK SPACE}", " ") for item in found(**options).items]


def ask(kind=ExceptionKind.SECOND_PAYMENT, *, subject="pi_1", days=0, amount=None, currency="eur", **fields):
    values = {"received": {"amount": amount, "currency": currency}} if amount else {}
    return OrderException.objects.create(
        **{"kind": kind, "subject": subject, "opened_at": NOON - days * DAY, "values": values, **fields}
    )


def doubt(name, **fields):
    usual = {"stripe_updated_at": NOON - 2 * DAY, "needs_resync": True, "amount": 400, "currency": "eur"}
    return Subscription.objects.create(**{"stripe_id": name, "status": "active", **usual, **fields})


def hold_back(name, event_type):
    return PaymentEvent.objects.create(
        stripe_event_id=name, type=event_type, payload={}, status=EventStatus.HELD, occurred_at=NOON, received_at=NOON,
        next_attempt_at=NOON,
    )  # fmt: skip


def item(name, *, days=0, amount=0, currency="", due=None):
    return TodoItem(name, NOON - days * DAY, amount=amount, currency=currency, due=due and NOON + due * DAY)


class TestInOrder:
    def names(self, *items):
        return [each.sentence for each in in_order(items, at=NOON)]

    def test_puts_the_older_day_first_whatever_it_is_worth(self):
        assert self.names(item("dear", amount=9, currency="eur"), item("old", days=1)) == ["old", "dear"]

    def test_puts_the_dearer_of_a_day_first(self):
        cheap, dear = item("cheap", amount=1, currency="eur"), item("dear", amount=9, currency="eur")

        assert self.names(item("about no money"), cheap, dear) == ["dear", "cheap", "about no money"]

    def test_lets_each_currency_have_its_turn_and_compares_none(self):
        euros = [item("€9", amount=900, currency="eur"), item("€8", amount=800, currency="eur")]
        yen = [item("¥1000", amount=1000, currency="jpy"), item("¥500", amount=500, currency="jpy")]

        assert self.names(*yen, *euros) == ["¥1000", "€9", "¥500", "€8"]

    def test_puts_a_near_deadline_before_everything(self):
        rows = [item("old", days=30), item("in 9 days", due=9), item("in 2 days", due=2), item("in 1 day", due=1)]

        assert self.names(*rows) == ["in 1 day", "in 2 days", "old", "in 9 days"]


@pytest.mark.django_db
class TestFindTodo:
    def test_is_empty_where_nothing_needs_anybody(self):
        ask(is_open=False, closed_at=NOON)

        assert (found().items, found().total) == ([], 0)

    def test_shows_so_many_and_counts_the_rest(self):
        OrderException.objects.bulk_create(
            OrderException(kind=ExceptionKind.NOT_DELIVERED, subject=f"letter:{n}", opened_at=NOON) for n in range(60)
        )

        assert (len(found().items), found().more) == (ITEMS_SHOWN, 60 - ITEMS_SHOWN)

    def test_leaves_out_what_one_may_not_see(self):
        ask(order=OrderFactory())
        HeldType.objects.create(type="charge.refunded", reason="odd")

        assert sentences(may_see=lambda label: label != "payments.order") == [
            "Events of type charge.refunded are held back, 0 are waiting: odd"
        ]

    def test_asks_little_however_much_there_is(self):
        for n in range(3):
            RegistrationFactory(order__status="PAID")
            ask(subject=f"pi_{n}", order=OrderFactory())
            ask(ExceptionKind.NO_PLACE, subject=f"order:{n}", order=RegistrationFactory().order)
            HeldType.objects.create(type=f"charge.{n}", reason="odd")
            doubt(f"sub_{n}")
            dispute(f"du_{n}")

        with CaptureQueriesContext(connection) as queries:
            assert found().total == 15

        assert len(queries) <= 8, [query["sql"] for query in queries]


def dispute(name="du_1", *, status=DisputeStatus.NEEDS_RESPONSE, days=9, **fields):
    return Dispute.objects.create(
        **{
            "stripe_id": name, "order": OrderFactory(label="Pottery"), "payment": "pi_1", "amount": 4900,
            "currency": "eur",
            "status": status, "phase": DisputePhase.OPEN, "reason": "product_not_received", "status_at": NOON,
            "due_by": NOON + days * DAY, **fields,
        }
    )  # fmt: skip


@pytest.mark.django_db
class TestDisputes:
    def test_are_told_with_their_deadline_the_nearest_first(self):
        dispute("du_1", days=9)
        dispute("du_2", days=2, amount=100)
        dispute("du_3", status=DisputeStatus.UNDER_REVIEW)

        assert sentences() == [
            "€1.00 for Pottery is disputed (not received) — answer within 2 days",
            "€49.00 for Pottery is disputed (not received) — answer within 9 days",
        ]

    def test_say_when_the_bank_only_asks(self):
        dispute(status=DisputeStatus.WARNING_NEEDS_RESPONSE, phase=DisputePhase.INQUIRY, days=0)

        assert sentences() == [
            "The bank asks about €49.00 for Pottery (not received) — answer today: less than a day left"
        ]


@pytest.mark.django_db
class TestQuestions:
    @pytest.mark.parametrize(
        ("subject", "screen", "right"),
        [
            ("price:plan:monthly", "admin:payments_plan_changelist", "payments.change_plan"),
            ("price:registration:raku", "admin:registrations_activity_changelist", "registrations.change_activity"),
            ("price:module:Glazing 1", "admin:modules_access_module_changelist", "modules_access.change_module"),
        ],
    )
    def test_about_a_price_lead_to_where_it_is_corrected(self, subject, screen, right):
        ask(ExceptionKind.CHECKOUT_REFUSED, subject=subject)

        [page, *_others] = found().items[0].acts

        assert page.address.startswith(f"{reverse(screen)}?q=")
        assert page.permission == right

    def test_about_anything_else_that_stripe_refuses_lead_nowhere_else(self):
        ask(ExceptionKind.CHECKOUT_REFUSED, subject="customer:7")

        assert found().items[0].acts == ("close",)


@pytest.mark.django_db
class TestHeldTypes:
    def test_say_how_many_events_wait(self):
        HeldType.objects.create(type="charge.refunded", reason="looks odd")
        for n in range(2):
            hold_back(f"evt_{n}", "charge.refunded")

        assert sentences() == ["Events of type charge.refunded are held back, 2 are waiting: looks odd"]


@pytest.mark.django_db
class TestDoubtfulSubscriptions:
    def test_are_told_once_the_worker_has_had_its_time(self):
        doubt("sub_1")
        doubt("sub_2", stripe_updated_at=NOON)

        [only] = found().items
        assert (only.row.stripe_id, only.acts) == ("sub_1", ("resync_subscription_action",))


@pytest.mark.django_db
class TestPaidWithoutPlace:
    def tell(self, **activity):
        row = RegistrationFactory(activity=ActivityFactory(title="Pottery", **activity), order__amount_received=4900)
        ask(ExceptionKind.NO_PLACE, subject=f"order:{row.order.public_id}", order=row.order, detail="Ada <a@b.c>")
        [only] = found().items
        return only.sentence, only.acts[0]

    def test_is_told_once_by_the_product_that_knows_the_places(self):
        sentence, first = self.tell(capacity=1)

        assert sentence == "€49.00 paid for Pottery, but its 1 place is taken — refund it, or add a place"
        assert first == "refund"

    def test_offers_the_place_that_is_free(self):
        assert self.tell(capacity=5)[1] == "seat"

    def test_knows_when_it_is_too_late(self):
        sentence, first = self.tell(capacity=5, starts_at=NOON - DAY)

        assert ("is over" in sentence, first) == (True, "refund")

    def test_falls_back_to_the_desk_for_who_may_not_see_activities(self):
        self.tell()

        def may_see(label):
            return label != "registrations.activity"

        assert sentences(may_see=may_see) == ["€49.00 paid for Pottery, without a place — refund it, or give a place"]


def give_up(name, error, *, days=0):
    """An event that was given up with this error."""
    at, kind = NOON - days * DAY, "charge.refunded"
    return PaymentEvent.objects.create(
        stripe_event_id=name, type=kind, payload={}, status=EventStatus.DEAD, occurred_at=at, received_at=at,
        next_attempt_at=at, error_kind="KeyError", error=error, error_group=group_of(kind, "KeyError", error),
    )  # fmt: skip


@pytest.mark.django_db
class TestFailureGroups:
    def test_are_one_line_each_however_many_events_fail(self):
        for number in range(3):
            give_up(f"evt_{number}", f"no amount in ch_{number}", days=2)
        give_up("evt_9", "no currency", days=1)

        assert sentences() == [
            "3 events of type charge.refunded fail: no amount in ch_2",
            "1 event of type charge.refunded fails: no currency",
        ]

    def test_lead_to_the_page_that_says_why(self):
        event = give_up("evt_1", "no amount")

        [item] = found().items

        assert item.acts[0].address == reverse("admin:payments_failures", args=[event.error_group])
