"""The plans' screen: what is typed in is checked, and a price that is replaced stays known."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from payments.admin import plans
from payments.billing.models import Plan
from payments.stripe_api.gateway import GatewayUnavailable
from payments.subscribing.price import PriceAtStripe, UnknownPrice
from tests.support.pages import text_of

ADD = reverse("admin:payments_plan_add")


def own_page(plan):
    return reverse("admin:payments_plan_change", args=[plan.pk])


def typed(plan=None, **changes):
    """What the browser sends for the form."""
    usual = {"name": "Premium", "amount": "4.00", "price": "price_monthly", "is_on_sale": "on", "position": "0"}
    fixed = {} if plan else {"slug": "weekly", "currency": "EUR", "interval": "month"}
    return {**usual, **fixed, **changes}


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


class TestChange:
    def test_of_the_price_remembers_the_former_one(self, page, plan):
        page.post(own_page(plan), typed(plan, price="price_new"))
        page.post(own_page(plan), typed(plan, price="price_newer"))

        plan.refresh_from_db()
        assert (plan.price, plan.former_prices) == ("price_newer", ["price_monthly", "price_new"])

    def test_back_to_a_former_price_makes_it_the_present_one(self, page, plan):
        page.post(own_page(plan), typed(plan, price="price_new"))
        page.post(own_page(plan), typed(plan))

        plan.refresh_from_db()
        assert (plan.price, plan.former_prices) == ("price_monthly", ["price_new"])

    def test_remembers_the_price_of_the_settings_as_well(self, page, plan, settings):
        settings.STRIPE_PRICES = {"monthly": "price_of_the_settings"}
        Plan.objects.update(price="")

        page.post(own_page(plan), typed(plan, price="price_new"))

        plan.refresh_from_db()
        assert plan.former_prices == ["price_of_the_settings"]

    def test_of_anything_else_leaves_the_prices_alone(self, page, plan):
        page.post(own_page(plan), typed(plan, name="Gold"))

        plan.refresh_from_db()
        assert (plan.name, plan.former_prices) == ("Gold", [])

    @pytest.mark.parametrize(("field", "value"), [("slug", "other"), ("interval", "year"), ("currency", "usd")])
    def test_leaves_alone_what_subscriptions_go_by(self, page, plan, field, value):
        before = getattr(plan, field)

        page.post(own_page(plan), typed(plan, **{field: value}))

        plan.refresh_from_db()
        assert getattr(plan, field) == before

    def test_of_the_amount_alone_warns_that_stripe_does_not_know(self, page, plan):
        response = page.post(own_page(plan), typed(plan, amount="5.00"), follow=True)

        assert any("Stripe goes on taking what price_monthly says" in told for told in messages_of(response))

    def test_of_amount_and_price_together_warns_of_nothing(self, page, plan):
        response = page.post(own_page(plan), typed(plan, amount="5.00", price="price_500"), follow=True)

        assert not any("Stripe goes on" in told for told in messages_of(response))


class TestAdd:
    def test_makes_a_plan_with_its_currency_as_stripe_writes_it(self, page):
        page.post(ADD, typed(price="price_weekly"))

        plan = Plan.objects.get(slug="weekly")
        assert (plan.amount, plan.currency, plan.price) == (400, "eur", "price_weekly")

    @pytest.mark.parametrize(
        ("field", "value", "complaint"),
        [
            ("amount", "0", "must be more than nothing"),
            ("amount", "0.49", "Stripe takes no less than €0.50."),
            ("amount", "much", "“much” is no amount."),
            ("currency", "E1R", "is not one of the available choices"),
            ("price", "prod_1", "named price_…"),
            ("price", "price_monthly", "belongs, or once belonged, to the plan"),
            ("price", "price_former", "belongs, or once belonged, to the plan"),
            ("slug", "monthly", "already exists"),
            ("name", "", "required"),
        ],
    )
    def test_says_what_is_wrong(self, page, plan, field, value, complaint):
        Plan.objects.filter(pk=plan.pk).update(former_prices=["price_former"])

        response = page.post(ADD, typed(**{"price": "price_weekly", field: value}))

        assert complaint in text_of(response)
        assert not Plan.objects.filter(slug="weekly").exists()


class TestPriceAtStripe:
    """Stripe is asked before anything is saved."""

    @pytest.fixture
    def stripe(self, monkeypatch):
        """Answers as it is told; `stripe.append(price or error)`."""
        answers = []

        def find(_name):
            if isinstance(answers[0], Exception):
                raise answers[0]
            return answers[0]

        monkeypatch.setattr(plans, "find_price", find)
        return answers

    def test_that_differs_is_refused_with_what_it_says(self, page, plan, stripe):
        stripe.append(PriceAtStripe("price_new", 500, "eur", "month", 1, is_active=True))

        response = page.post(own_page(plan), typed(plan, price="price_new"))

        assert "At Stripe price_new is €5.00 a month; here it is €4.00 a month." in text_of(response)
        plan.refresh_from_db()
        assert plan.price == "price_monthly"

    def test_that_does_not_exist_is_refused(self, page, stripe):
        stripe.append(UnknownPrice("price_new"))

        response = page.post(ADD, typed(price="price_new"))

        assert "Stripe knows no price price_new" in text_of(response)
        assert not Plan.objects.filter(slug="weekly").exists()

    def test_is_not_held_against_what_nobody_has_changed(self, page, plan, stripe):
        stripe.append(PriceAtStripe("price_monthly", 500, "eur", "month", 1, is_active=True))

        page.post(own_page(plan), typed(plan, name="Gold"))

        plan.refresh_from_db()
        assert plan.name == "Gold"

    def test_is_said_not_to_be_checked_where_stripe_is_silent(self, page, plan, stripe):
        stripe.append(GatewayUnavailable("Stripe is not available at the moment"))

        response = page.post(own_page(plan), typed(plan, price="price_new"), follow=True)

        assert any("price_new says the same at Stripe was not checked" in told for told in messages_of(response))
        plan.refresh_from_db()
        assert plan.price == "price_new"

    def test_is_asked_for_by_nobody_who_may_not_change_plans(self, client, clerk, plan, stripe):
        clerk.user_permissions.add(Permission.objects.get(codename="view_plan"))
        client.force_login(clerk)

        assert client.post(own_page(plan), typed(plan, price="price_new")).status_code == 403


class TestDelete:
    def test_is_refused_when_somebody_has_subscribed(self, page, plan, subscription):
        address = reverse("admin:payments_plan_delete", args=[plan.pk])

        assert page.post(address, {"post": "yes"}).status_code == 403
        assert Plan.objects.filter(pk=plan.pk).exists()
        assert "can be taken off sale, but not deleted" in text_of(page.get(own_page(plan)))

    def test_is_possible_as_long_as_nobody_has(self, page, plan):
        page.post(reverse("admin:payments_plan_delete", args=[plan.pk]), {"post": "yes"})

        assert not Plan.objects.filter(pk=plan.pk).exists()


class TestRight:
    def test_to_look_is_none_to_change(self, client, clerk, plan):
        clerk.user_permissions.add(Permission.objects.get(codename="view_plan"))
        client.force_login(clerk)

        assert client.post(own_page(plan), typed(plan, name="Gold")).status_code == 403
        assert client.get(ADD).status_code == 403
