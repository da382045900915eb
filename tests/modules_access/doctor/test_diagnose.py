"""Each way in which somebody can be without access: the first broken link is the one that is to blame."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from modules_access.doctor import DoctorQuestion, InvalidQuestion, LinkState, diagnose, parse_question
from modules_access.models import AccessToken, ModuleAccess, PlanOpening, Purchase
from modules_access.services.grants import revoke_access
from modules_access.services.tokens import revoke_token
from payments.apply.apply import follow_subscriptions_again
from payments.billing.models import Customer, Payment
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order, OrderException
from payments.statuses import ExceptionKind
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import (
    give_back,
    make_buyer,
    make_grant,
    make_learner,
    make_module,
    make_purchase,
    make_token,
)

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
CHAIN = ["account", "payment", "event", "order", "access", "token", "encours"]


def verdict(user, module, *, at=LATER):
    [found] = diagnose(DoctorQuestion(user, module), at=at).verdicts
    return found


def first_broken(user, module, *, at=LATER):
    link = verdict(user, module, at=at).best.broken
    return link and link.name


def event(order, status, *, type="checkout.session.completed", **columns):
    return PaymentEvent.objects.create(
        **{
            "stripe_event_id": f"evt_{PaymentEvent.objects.count()}", "type": type, "payload": {}, "order": order,
            "occurred_at": NOON, "received_at": NOON, "next_attempt_at": NOON, "status": status, **columns,
        }
    )  # fmt: skip


@pytest.fixture
def member(learner, module):
    row = make_member(user=learner)
    follow_subscriptions_again([row.pk], source="test", at=NOON)
    return row


@pytest.fixture
def unpaid(learner, module):
    return make_purchase(learner, module).order


class TestDiagnoseAPurchase:
    def test_finds_nothing_broken_where_all_is_well(self, learner, module, purchase):
        event(purchase.order, "PROCESSED")

        found = verdict(learner, module)

        assert found.is_fine
        assert [link.name for link in found.best.links] == CHAIN
        assert [link.name for link in found.best.links if link.state == LinkState.NOT_NEEDED] == ["token"]

    def test_needs_no_event_where_none_was_needed(self, learner, module, purchase):
        assert verdict(learner, module).is_fine

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"is_active": False}, "is closed"),
            ({"email_confirmed_at": None, "password": "!x"}, "never opened the link"),
        ],
    )
    def test_names_the_account(self, learner, module, purchase, values, sentence):
        User.objects.filter(pk=learner.pk).update(**values)

        found = verdict(User.objects.get(), module)

        assert (found.best.broken.name, found.is_fine) == ("account", False)
        assert sentence in found.best.broken.sentence

    def test_names_the_payment_that_never_came(self, learner, module, unpaid):
        link = verdict(learner, module).best.broken

        assert (link.name, link.command) == ("payment", f"manage.py resync order {unpaid.number}")

    def test_names_the_question_about_the_money(self, learner, module, unpaid):
        OrderException.objects.create(
            order=unpaid, kind=ExceptionKind.AMOUNT_MISMATCH, subject="pi_1", opened_at=NOON
        )  # fmt: skip

        link = verdict(learner, module).best.broken

        assert (link.name, "Amount or currency differs" in link.sentence) == ("payment", True)

    @pytest.mark.parametrize(
        ("status", "remedy", "command"),
        [
            ("DEAD", "replay", ""),
            ("FAILED", "replay", ""),
            ("HELD", "Held event types", ""),
            ("RECEIVED", "worker", "manage.py drain"),
        ],
    )
    def test_names_the_event_that_is_stuck(self, learner, module, unpaid, status, remedy, command):
        stuck = event(unpaid, status, error="no such thing", attempts=3)

        link = verdict(learner, module).best.broken

        assert (link.name, link.about, link.command) == ("event", stuck, command)
        assert remedy in link.remedy

    def test_finds_the_event_that_did_not_find_its_order(self, learner, module, unpaid):
        unpaid.checkouts.update(session="cs_test_1")
        stuck = event(None, "DEAD", object_id="cs_test_1")

        assert verdict(learner, module).best.broken.about == stuck

    def test_names_no_event_about_something_else(self, learner, module, unpaid):
        event(make_buyer(make_learner("grace@example.com"), module).order, "DEAD")

        assert first_broken(learner, module) == "payment"

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"dispute_state": "LOST"}, "dispute"),
            ({"status": "EXPIRED"}, "does not count as paid"),
        ],
    )
    def test_names_the_order(self, learner, module, purchase, values, sentence):
        Payment.objects.create(key="pi_x", order=purchase.order, received=4900, currency="eur", paid_at=NOON)
        Order.objects.update(**values)

        link = verdict(learner, module).best.broken

        assert (link.name, sentence in link.sentence) == ("order", True)

    def test_says_that_a_refund_is_no_mistake(self, learner, module, purchase):
        give_back(purchase.order)

        found = verdict(learner, module)

        assert (found.best.broken.name, found.repairs) == ("order", [])
        assert "There is nothing to repair" in found.best.broken.remedy

    def test_names_the_access_that_is_missing_and_its_repair(self, learner, module, purchase):
        ModuleAccess.objects.all().delete()

        found = verdict(learner, module)

        assert (found.best.broken.name, found.best.broken.command) == ("access", "manage.py modules_repair")
        assert found.repairs == [f"order:{purchase.order_id}"]

    @pytest.mark.parametrize(
        "values",
        [
            {"is_active": False, "ended_at": NOON, "ended_reason": "refunded"},
            {"expires_at": NOON},
        ],
    )
    def test_names_the_access_that_says_something_else(self, learner, module, purchase, values):
        ModuleAccess.objects.update(**values)

        found = verdict(learner, module)

        assert (found.best.broken.name, found.repairs) == ("access", [f"order:{purchase.order_id}"])

    def test_names_the_access_that_is_somebody_elses(self, learner, module, purchase):
        ModuleAccess.objects.update(user=make_learner("thief@example.com"))

        assert "(user)" in verdict(learner, module).best.broken.sentence

    def test_offers_to_end_what_should_have_ended(self, learner, module, purchase):
        Order.objects.update(status="REFUNDED")

        found = verdict(learner, module)

        assert (found.is_fine, found.repairs) == (False, [f"order:{purchase.order_id}"])

    def test_says_who_took_it_back_and_why(self, learner, module, purchase):
        revoke_access(access=ModuleAccess.objects.get(), reason="it was shared", by="staff@example.com", at=NOON)

        link = verdict(learner, module).best.broken

        assert link.name == "access"
        assert "staff@example.com" in link.sentence
        assert "it was shared" in link.sentence

    def test_says_that_the_days_are_over(self, learner):
        module = make_module(access_days=1)
        make_buyer(learner, module)

        link = verdict(learner, module, at=NOON + timedelta(days=2)).best.broken

        assert (link.name, "has run out" in link.sentence) == ("access", True)

    def test_asks_no_money_for_what_is_free(self, learner):
        module = make_module(price=0)
        order = make_purchase(learner, module).order
        Order.objects.filter(pk=order.pk).update(status="PAID", paid_at=NOON)

        assert first_broken(learner, module) == "access"


class TestDiagnoseAToken:
    def test_finds_nothing_broken_where_all_is_well(self, learner, module):
        make_token(learner, module)

        assert verdict(learner, module).is_fine

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"expires_at": NOON + timedelta(minutes=1)}, "has expired"),
            ({"used": 100}, "used up"),
        ],
    )
    def test_names_the_token(self, learner, module, values, sentence):
        make_token(learner, module)
        AccessToken.objects.update(**values)
        if "expires_at" in values:
            ModuleAccess.objects.update(**values)

        link = verdict(learner, module).best.broken

        assert (link.name, sentence in link.sentence) == ("token", True)

    def test_says_who_revoked_it_and_why(self, learner, module):
        revoke_token(token=make_token(learner, module), reason="it leaked", by="staff@example.com", at=NOON)

        link = verdict(learner, module).best.broken

        assert (link.name, "it leaked" in link.sentence) == ("token", True)

    def test_names_the_order_on_which_it_rests(self, learner, module, purchase):
        make_token(learner, module, order=purchase.order)
        give_back(purchase.order)

        found = verdict(learner, module)

        assert {chain.access_type: chain.broken.name for chain in found.chains} == {
            "purchase": "order", "token": "order",
        }  # fmt: skip

    def test_names_the_grant_on_which_it_rests(self, learner, module):
        grant = make_grant(learner, module)
        make_token(learner, module, grant=grant)
        revoke_access(access=grant, reason="a mistake", by="staff", at=NOON)

        assert {chain.access_type: chain.broken.name for chain in verdict(learner, module).chains} == {
            "token": "order", "grant": "access",
        }  # fmt: skip


class TestDiagnoseASubscription:
    def test_finds_nothing_broken_where_all_is_well(self, learner, module, member):
        assert verdict(learner, module).is_fine

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"status": "unpaid"}, "no access at the moment"),
            ({"status": "canceled"}, "ended"),
            ({"money_back": "refunded"}, "went back: Refunded"),
            ({"pause": "void"}, "payments are paused"),
        ],
    )
    def test_names_the_payment(self, learner, module, member, values, sentence):
        type(member).objects.update(**values)
        follow_subscriptions_again([member.pk], source="test", at=NOON)

        link = verdict(learner, module).best.broken

        assert (link.name, sentence in link.sentence) == ("payment", True)

    def test_names_the_plan_that_does_not_open_it(self, learner, module, member):
        PlanOpening.objects.create(plan=member.plan, is_all=False)
        follow_subscriptions_again([member.pk], source="test", at=NOON)

        link = verdict(learner, module).best.broken

        assert (link.name, "does not open it" in link.sentence) == ("order", True)

    def test_names_the_access_that_is_missing(self, learner, module, member):
        ModuleAccess.objects.all().delete()

        found = verdict(learner, module)

        assert (found.best.broken.name, found.repairs) == ("access", [f"subscription:{member.pk}"])


class TestDiagnose:
    def test_is_content_with_one_source_that_lets_in(self, learner, module, purchase):
        give_back(purchase.order)
        make_grant(learner, module)

        found = verdict(learner, module)

        assert (found.is_fine, len(found.chains)) == (True, 2)

    def test_names_what_a_repair_heals_before_a_token_that_has_expired(self, learner, module, purchase):
        make_token(learner, module, life=timedelta(minutes=1))
        ModuleAccess.objects.filter(order=purchase.order).delete()

        assert first_broken(learner, module) == "access"

    def test_looks_at_all_modules_of_a_person(self, learner, module, purchase, member):
        make_module("singing")
        follow_subscriptions_again([member.pk], source="test", at=NOON)

        found = diagnose(DoctorQuestion(learner), at=LATER)

        assert [(each.module.slug, len(each.chains)) for each in found.verdicts] == [("drawing", 2), ("singing", 1)]

    def test_says_that_there_is_nothing(self, learner, module):
        assert first_broken(learner, module) == "payment"
        assert [each.module for each in diagnose(DoctorQuestion(learner), at=LATER).verdicts] == [None]

    def test_knows_who_paid_and_has_no_account(self, db):
        Customer.objects.create(stripe_id="cus_1", email="grace@example.com")

        [found] = diagnose(DoctorQuestion(email="grace@example.com"), at=LATER).verdicts

        assert (found.best.broken.name, "cus_1" in found.best.broken.sentence) == ("account", True)

    def test_looks_at_one_order_alone(self, learner, module, purchase):
        give_back(purchase.order)
        make_grant(learner, module)

        found = diagnose(DoctorQuestion(order=purchase.order), at=LATER)

        assert (found.is_fine, len(found.verdicts[0].chains)) == (False, 1)

    @pytest.mark.parametrize("wrong", ["person", "module", "email"])
    def test_refuses_what_does_not_belong_together(self, purchase, wrong):
        asked = {
            "person": {"user": make_learner("grace@example.com")}, "module": {"module": make_module("singing")},
            "email": {"email": "nobody@example.com"},
        }[wrong]  # fmt: skip

        with pytest.raises(InvalidQuestion, match=purchase.order.number):
            diagnose(DoctorQuestion(order=purchase.order, **asked), at=LATER)

    def test_refuses_an_order_that_buys_no_module(self, purchase):
        Purchase.objects.all().delete()

        with pytest.raises(InvalidQuestion, match="buys no module"):
            diagnose(DoctorQuestion(order=purchase.order), at=LATER)

    def test_changes_nothing_and_asks_little(self, learner, module, purchase, member):
        make_token(learner, module, order=purchase.order)
        make_grant(learner, module)

        with CaptureQueriesContext(connection) as queries:
            diagnose(DoctorQuestion(learner, module), at=LATER)

        assert len(queries) <= 7
        assert all(query["sql"].startswith("SELECT") for query in queries)


class TestAsk:
    def test_takes_each_name_that_people_have(self, purchase):
        order = purchase.order
        names = [
            order.number,
            str(order.public_id),
            str(order.public_id).upper(),
            f"cs_test_{order.pk}",
            f"pi_{order.pk}",
        ]

        assert {parse_question(order=name).order for name in names} == {order}
        assert parse_question(user="ADA@example.com", module="drawing").user == purchase.user
        assert parse_question(user=str(purchase.user_id), module=str(purchase.module_id)).module == purchase.module

    def test_keeps_an_address_that_nobody_has(self, db):
        assert parse_question(user="Nobody@example.com").email == "nobody@example.com"

    @pytest.mark.parametrize(
        ("names", "sentence"),
        [
            ({}, "Name a person or an order."),
            ({"module": "drawing"}, "Name a person or an order."),
            ({"user": "999"}, "Nobody here has the id 999."),
            ({"user": "ada"}, "neither an e-mail address nor an id"),
            ({"user": "ada@example.com", "module": "nothing"}, "No module is called"),
            ({"order": "O-000999"}, "No order is called"),
            ({"order": "pi_' OR 1=1"}, "No order is called"),
        ],
    )
    def test_says_what_is_not_known(self, purchase, names, sentence):
        with pytest.raises(InvalidQuestion, match=sentence):
            parse_question(**names)
