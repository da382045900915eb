"""How facts become a subscription's and a customer's state: in any order the same (docs/adr/0009-subscriptions.md)."""

from datetime import timedelta
from itertools import permutations

import pytest

from payments.billing.fold import (
    fold_customer,
    fold_paid_invoice,
    fold_plan,
    fold_subscription,
    needs_resync,
    plans_of,
    seconds,
)
from payments.billing.models import Customer, Plan, Subscription
from payments.facts import CustomerFact, ObjectRefs, Terms
from tests.support.subscriptions import BEGIN, END, NOON, paid, told

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)


def folded(*facts):
    """A subscription that was told all this, in this order."""
    row = Subscription(stripe_id="sub_1")
    for fact in facts:
        fold_subscription(row, fact)
    return row


def seen(row):
    """What must not depend on the order."""
    return row.status, row.stripe_updated_at, row.fingerprint, row.has_conflict, row.amount, row.cancel_at


def paid_by(*facts):
    row = folded(told())
    for fact in facts:
        fold_paid_invoice(row, fact)
    return row


def person(**told):
    return CustomerFact(ObjectRefs(customer="cus_1"), **{"occurred_at": NOON, **told})


def known_as(*facts):
    row = Customer(stripe_id="cus_1")
    for fact in facts:
        fold_customer(row, fact)
    return row


class TestSeconds:
    def test_counts_whole_ones(self):
        assert seconds(NOON + 999 * MILLISECOND) == seconds(NOON) == int(NOON.timestamp())

    def test_puts_never_before_everything(self):
        assert seconds(None) < seconds(BEGIN)


class TestFoldSubscription:
    def test_takes_the_whole_of_the_first_news(self):
        row = folded(told(cancel_at=END, started_at=BEGIN))

        assert (row.status, row.stripe_updated_at, row.cancel_at, row.started_at) == ("active", NOON, END, BEGIN)
        assert (row.price, row.amount, row.currency, row.interval) == ("price_monthly", 400, "eur", "month")

    def test_takes_the_later_second_whole_whatever_its_status(self):
        row = folded(told(cancel_at=END), told(status="past_due", occurred_at=NOON + SECOND))

        assert (row.status, row.cancel_at) == ("past_due", None)

    def test_says_whether_it_took_the_fact(self):
        row = folded(told())

        assert fold_subscription(row, told(status="past_due", occurred_at=NOON + SECOND)) is True
        assert fold_subscription(row, told()) is False

    @pytest.mark.parametrize("end", ["canceled", "incomplete_expired"])
    def test_lets_what_has_ended_stay_so(self, end):
        row = folded(told(status=end), told(occurred_at=NOON + timedelta(days=1)))

        assert row.status == end

    @pytest.mark.parametrize(
        ("lower", "higher"),
        [
            ("incomplete", "past_due"),
            ("past_due", "trialing"),
            ("unpaid", "trialing"),
            ("paused", "trialing"),
            ("trialing", "active"),
            ("active", "canceled"),
        ],
    )
    def test_takes_the_higher_rank_within_a_second(self, lower, higher):
        for order in permutations([told(status=lower), told(status=higher)]):
            assert folded(*order).status == higher

    def test_takes_anything_for_later_than_its_birth_in_the_same_second(self):
        birth, later = told(status="active", from_created_event=True), told(status="incomplete")

        for order in permutations([birth, later]):
            row = folded(*order)

            assert (row.status, row.has_conflict) == ("incomplete", False)

    def test_is_contradicted_by_another_content_of_the_same_second(self):
        row = folded(told(), told(cancel_at=END))

        assert row.has_conflict

    def test_is_not_contradicted_by_the_same_told_again(self):
        assert not folded(told(), told()).has_conflict

    def test_is_not_contradicted_by_what_has_ended_it_in_the_same_second(self):
        assert not folded(told(), told(status="canceled")).has_conflict

    def test_believes_what_is_told_a_second_later(self):
        row = folded(told(), told(cancel_at=END), told(occurred_at=NOON + SECOND))

        assert (row.has_conflict, row.cancel_at) == (False, None)

    def test_ends_alike_in_every_order(self):
        facts = [
            told(from_created_event=True, status="incomplete"),
            told(),
            told(cancel_at=END),
            told(terms=Terms("price_yearly", 3000, "eur", "year"), occurred_at=NOON - SECOND),
        ]

        assert len({seen(folded(*order)) for order in permutations(facts)}) == 1


class TestFoldPaidInvoice:
    def test_tells_until_when_it_is_paid(self):
        row = paid_by(paid())

        assert (row.last_paid_at, row.paid_until) == (BEGIN, END)

    @pytest.mark.parametrize("nothing", [{"paid_at": None}, {"period_end": None}], ids=["unpaid", "a proration"])
    def test_is_not_moved_by_what_pays_no_period(self, nothing):
        assert paid_by(paid(**nothing)).paid_until is None

    def test_counts_the_one_that_was_paid_last(self):
        year = paid(paid_at=BEGIN, period_end=END + timedelta(days=335))
        month = paid(paid_at=BEGIN + SECOND, period_end=END)

        for order in permutations([year, month]):
            assert paid_by(*order).paid_until == END


class TestIsDoubtful:
    def test_is_not_when_all_was_told(self):
        assert not needs_resync(folded(told()))

    def test_is_while_only_its_name_is_known(self):
        assert needs_resync(Subscription(stripe_id="sub_1"))

    def test_is_when_it_is_contradicted(self):
        assert needs_resync(folded(told(), told(cancel_at=END)))

    def test_is_when_a_period_was_paid_that_it_has_not_told_of(self):
        assert needs_resync(paid_by(paid(paid_at=NOON + SECOND, period_end=END + SECOND)))

    def test_is_not_when_it_has_told_of_that_period(self):
        assert not needs_resync(paid_by(paid(paid_at=NOON + SECOND, period_end=END)))

    def test_is_not_when_it_was_told_since(self):
        """A year was paid, then it was changed to a month."""
        assert not needs_resync(paid_by(paid(paid_at=NOON, period_end=END + timedelta(days=335))))

    def test_is_not_once_it_has_ended(self):
        ended = folded(told(), told(cancel_at=END), told(status="canceled"))
        fold_paid_invoice(ended, paid(paid_at=NOON + SECOND, period_end=END + SECOND))

        assert not needs_resync(ended)


class TestFoldCustomer:
    def test_takes_what_is_told_last(self):
        first, second = (
            person(name="Ada Byron", city="London", country="GB"),
            person(occurred_at=NOON + SECOND, name="Ada King", city="Paris", country="FR"),
        )

        for order in permutations([first, second]):
            row = known_as(*order)

            assert (row.name, row.city, row.country) == ("Ada King", "Paris", "FR")

    def test_keeps_the_one_when_only_the_other_is_told(self):
        row = known_as(
            person(name="Ada", email="ada@example.com"), person(occurred_at=NOON + SECOND, city="Lyon", country="FR")
        )

        assert (row.name, row.email, row.city, row.stripe_updated_at) == ("Ada", "ada@example.com", "Lyon", NOON)

    def test_lets_who_was_deleted_stay_so_with_their_name(self):
        row = known_as(person(name="Ada"), person(is_deleted=True), person(occurred_at=NOON + SECOND, city="Lyon"))

        assert (row.deleted_at, row.name, row.city) == (NOON, "Ada", "Lyon")

    def test_dates_a_deletion_by_the_first_news(self):
        early, late = person(is_deleted=True), person(is_deleted=True, occurred_at=NOON + SECOND)

        for order in permutations([early, late]):
            assert known_as(*order).deleted_at == NOON

    def test_ends_alike_in_every_order_of_one_second(self):
        facts = [person(name="Ada", city="Lyon"), person(name="Eva", city="Nice"), person(email="a@example.com")]

        ends = {(row.name, row.email, row.city) for order in permutations(facts) if (row := known_as(*order))}

        assert len(ends) == 1


class TestFoldPlan:
    plans = (Plan(slug="monthly", price="price_monthly"), Plan(slug="yearly", price="price_yearly"))

    def named(self, *facts):
        row = Subscription(stripe_id="sub_1")
        for fact in facts:
            fold_plan(row, fact, self.plans)
        return row.plan_slug

    def test_keeps_what_was_named_last_in_every_order(self):
        first = told(terms=Terms("price_yearly"), occurred_at=NOON)
        second = told(terms=Terms("price_new"), plan="monthly", occurred_at=NOON + SECOND)
        silent = told(terms=Terms("price_new"), occurred_at=NOON + 2 * SECOND)

        assert {self.named(*order) for order in permutations([first, second, silent])} == {"monthly"}

    def test_believes_the_price_more_than_the_name(self):
        assert self.named(told(terms=Terms("price_yearly"), plan="monthly")) == "yearly"

    def test_takes_no_name_that_is_no_plans(self):
        assert self.named(told(terms=Terms("price_new"), plan="gone")) == ""


class TestPlansOf:
    monthly = Plan(pk=1, slug="monthly", price="price_monthly", former_prices=["price_2019"])
    yearly = Plan(pk=2, slug="yearly", price="price_yearly")

    def found(self, *prices, order_plan=None, **fields):
        row = Subscription(prices=list(prices), **fields)
        return plans_of(row, [self.monthly, self.yearly], order_plan=order_plan)

    def test_are_those_of_all_its_prices(self):
        assert self.found("price_tea", "price_yearly", "price_monthly") == [self.yearly, self.monthly]

    def test_are_named_once_each(self):
        assert self.found("price_monthly", "price_2019") == [self.monthly]

    def test_is_the_one_that_once_had_its_price(self):
        assert self.found("price_2019") == [self.monthly]

    def test_is_known_by_its_first_price_where_no_other_was_kept(self):
        assert self.found(price="price_yearly") == [self.yearly]

    def test_is_the_one_of_the_settings(self, settings):
        settings.STRIPE_PRICES = {"monthly": "price_of_settings"}
        plan = Plan(slug="monthly")

        assert plans_of(Subscription(prices=["price_of_settings"]), [plan]) == [plan]

    def test_believes_the_price_more_than_the_name(self):
        assert self.found("price_yearly", plan_slug="monthly") == [self.yearly]

    def test_is_the_one_that_was_named_when_the_price_is_nobodys(self):
        assert self.found("price_unknown", plan_slug="monthly", order_plan=2) == [self.monthly]

    def test_is_the_one_of_the_order_that_began_it_when_nothing_was_named(self):
        assert self.found("price_unknown", order_plan=2) == [self.yearly]

    def test_stays_the_one_that_was_known(self):
        assert self.found("price_unknown", plan_id=2) == [self.yearly]

    @pytest.mark.parametrize("slug", ["", "gone"])
    def test_may_be_none(self, slug):
        assert self.found("", plan_slug=slug) == []
