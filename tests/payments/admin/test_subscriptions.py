"""The subscriptions' screen: found by any of their names, filtered by what staff ask for, told with their story."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from payments.billing.models import Subscription
from payments.timeline.standing import terms_text
from tests.support.pages import text_of
from tests.support.road import hear
from tests.support.subscriptions import NOON, subscription_object, told

LIST = reverse("admin:payments_subscription_changelist")


@pytest.fixture
def grace(make_subscriber):
    return make_subscriber("grace")


def shown(page, **asked):
    """The subscriptions that the list shows."""
    return list(page.get(LIST, asked).context["cl"].queryset.values_list("stripe_id", flat=True))


def own_page(row):
    return reverse("admin:payments_subscription_change", args=[row.pk])


class TestList:
    def test_says_who_pays_what_until_when(self, page, subscription):
        text = text_of(page.get(LIST))

        for words in ("ada@example.com", "Active", "€4.00 a month", "sub_ada"):
            assert words in text

    def test_says_the_state_by_a_word_on_a_tint(self, page, subscription):
        assert '<span class="pill pill-good">Active</span>' in page.get(LIST).content.decode()

    def test_shows_a_word_of_stripe_that_we_do_not_know_as_it_is(self, page, subscription):
        Subscription.objects.update(status="hibernating")

        assert '<span class="pill pill-off">hibernating</span>' in page.get(LIST).content.decode()

    @pytest.mark.parametrize("name", ["sub_ada", "cus_ada", "Ada@Example.com", "in_ada", "pi_ada", " sub_ada "])
    def test_finds_by_any_whole_name(self, page, subscription, grace, name):
        assert shown(page, q=name) == ["sub_ada"]

    @pytest.mark.parametrize("name", ["sub_a", "ada", "ada@", "cus_"])
    def test_finds_nothing_by_half_a_name(self, page, subscription, name):
        assert shown(page, q=name) == []


class TestEvents:
    def test_of_a_subscription_stand_on_its_page(self, page, subscription):
        source = subscription_object(id="sub_ada", customer="cus_ada", metadata={}, status="past_due")
        told_by = {"id": "evt_1", "type": "customer.subscription.updated", "livemode": False, "api_version": ""}

        hear({**told_by, "created": int(NOON.timestamp()), "data": {"object": source}})

        assert "evt_1" in text_of(page.get(own_page(subscription)))


class TestFilters:
    @pytest.mark.parametrize(("state", "status"), [("active", "active"), ("past_due", "past_due"), ("unknown", "")])
    def test_by_state(self, page, subscription, grace, state, status):
        Subscription.objects.filter(pk=subscription.pk).update(status=status)
        Subscription.objects.filter(pk=grace.pk).update(status="paused")

        assert shown(page, state=state) == ["sub_ada"]

    def test_by_plan(self, page, subscription, grace, plan):
        Subscription.objects.filter(pk=grace.pk).update(plan=None)

        assert shown(page, plan__id__exact=plan.pk) == ["sub_ada"]

    def test_by_doubt(self, page, subscription, grace):
        Subscription.objects.filter(pk=grace.pk).update(needs_resync=True)

        assert shown(page, needs_resync__exact=1) == ["sub_grace"]

    @pytest.mark.parametrize(
        ("days", "status", "is_shown"), [(5, "active", True), (20, "active", False), (5, "canceled", False)]
    )
    def test_by_an_end_that_is_near(self, page, subscription, grace, days, status, is_shown):
        end = timezone.now() + timedelta(days=days)
        Subscription.objects.filter(pk=subscription.pk).update(cancel_at=end, status=status)

        assert shown(page, ends="7") == (["sub_ada"] if is_shown else [])

    def test_that_nobody_offers_are_no_filter(self, page, subscription):
        assert shown(page, ends="x") == ["sub_ada"]


class TestPage:
    def test_tells_the_whole_story(self, page, subscription):
        text = text_of(page.get(own_page(subscription)))

        for words in ("Paid in_ada", "€4.00", "in_ada", "ada@example.com", "Active"):
            assert words in text

    def test_shows_what_was_sent_because_of_it(self, page, subscription):
        subscription.effects.create(
            key="subscription.ending_soon:sub_ada", kind="subscription.ending_soon", not_before=timezone.now(),
            created_at=timezone.now(),
        )  # fmt: skip

        told = text_of(page.get(own_page(subscription)))

        assert "E-mail Is going to be sent:" in told
        assert "subscription.ending_soon" in told


class TestTermsOf:
    def test_are_unknown_until_somebody_has_told(self):
        assert terms_text(Subscription(stripe_id="sub_1")) == ""

    def test_name_the_interval(self):
        terms = told().terms
        row = Subscription(amount=terms.amount, currency="eur", interval="year", interval_count=2)

        assert terms_text(row) == "€4.00 a year (× 2)"
