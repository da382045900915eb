"""Prices are typed as people write them, on every screen that has one, and kept as Stripe counts them."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from registrations.models import Activity
from tests.support.factories import ActivityFactory
from tests.support.pages import text_of

ADD = reverse("admin:registrations_activity_add")


def typed(**changes):
    usual = {
        "title": "Weaving", "slug": "weaving", "price": "15.00", "currency": "eur", "capacity": "4",
        "late_money": "ask", "starts_at": "2027-05-01T10:00",
    }  # fmt: skip
    return {**usual, **changes}


def own_page(activity):
    return reverse("admin:registrations_activity_change", args=[activity.pk])


class TestPricedForm:
    @pytest.mark.parametrize(
        ("price", "currency", "kept"),
        [
            ("49.00", "eur", 4900),
            ("49,00", "EUR", 4900),
            ("0", "eur", 0),
            ("0.30", "gbp", 30),
            ("5000", "jpy", 5000),
            ("12.34", "kwd", 12340),
            ("300", "isk", 30000),
        ],
    )
    def test_keeps_minor_units(self, page, price, currency, kept):
        page.post(ADD, typed(price=price, currency=currency))

        assert Activity.objects.values_list("price", "currency").get() == (kept, currency.lower())

    @pytest.mark.parametrize(
        ("price", "currency", "why"),
        [
            ("0.49", "eur", "Stripe takes no less than €0.50."),
            ("2.99", "sek", "Stripe takes no less than SEK 3.00."),
            ("49", "jpy", "Stripe takes no less than ¥50."),
            ("1000000", "eur", "Stripe takes no more than €999,999.99."),
            ("1.005", "eur", "An amount in EUR has at most 2 decimals."),
            ("50.5", "jpy", "An amount in JPY has at most 0 decimals."),
            ("1.234", "kwd", "An amount in KWD has at most 2 decimals."),
            ("1.50", "ugx", "An amount in UGX has at most 0 decimals."),
            ("-5", "eur", "“-5” is no amount."),
            ("", "eur", "This field is required."),
            ("15.00", "zzz", "zzz is not one of the available choices."),
        ],
    )
    def test_says_what_stripe_would_refuse(self, page, price, currency, why):
        response = page.post(ADD, typed(price=price, currency=currency))

        assert why in text_of(response)
        assert not Activity.objects.exists()

    @pytest.mark.parametrize("kind", ["registrations_activity", "modules_access_module", "payments_plan"])
    def test_begins_with_euros(self, page, kind):
        shown = page.get(reverse(f"admin:{kind}_add")).content.decode()

        assert '<option value="eur" selected>EUR</option>' in shown

    def test_shows_the_price_as_people_write_it(self, page):
        activity = ActivityFactory(price=4900)

        content = page.get(own_page(activity)).content.decode()

        assert 'name="price" value="49.00"' in content
        assert '<option value="eur" selected>EUR</option>' in content

    def test_reads_the_same_text_anew_in_another_currency(self, page):
        activity = ActivityFactory(price=4900, currency="eur")

        page.post(own_page(activity), typed(slug=activity.slug, price="49.00", currency="chf"))
        page.post(own_page(activity), typed(slug=activity.slug, price="49.00", currency="kwd"))

        activity.refresh_from_db()
        assert (activity.price, activity.currency) == (49000, "kwd")


class TestPricedAdmin:
    def test_shows_who_may_only_look_the_price_in_words(self, client, clerk):
        clerk.user_permissions.add(Permission.objects.get(codename="view_activity"))
        client.force_login(clerk)
        activity = ActivityFactory(price=123450)

        text = text_of(client.get(own_page(activity), headers={"accept-language": "en"}))

        assert "€1,234.50" in text
        assert "123450" not in text
