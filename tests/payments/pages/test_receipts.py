"""Receipts as pages and as PDF: of registrations, modules and payments of subscriptions, for whoever has paid."""

import re

import pytest
from django.urls import reverse

from accounts.data_subject import export_individual, find_individual
from accounts.pictures.upload import keep_picture
from payments.billing.models import Payment, Receipt
from payments.orders.models import Order
from registrations.links import token_of
from tests.accounts.shop.test_shop import picture_file
from tests.support.factories import NOON, UserFactory
from tests.support.members import make_member
from tests.support.modules import make_buyer, make_module
from tests.support.pages import text_of
from tests.support.pdf import words_of
from tests.support.road import event_of, hear
from tests.support.shop import open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def payment():
    """The first month of Ada's subscription."""
    return Payment.objects.create(
        key="in_1", subscription=make_member(), received=400, currency="eur", paid_at=NOON, period_start=NOON,
        period_end=NOON.replace(month=4),
    )  # fmt: skip


class TestPdf:
    def test_says_what_the_page_says_in_the_readers_language(self, reader, make_registration):
        open_shop(logo=keep_picture(picture_file()))
        row = make_registration("Łucja Ødegård-Ελένη")
        hear(event_of(row, "checkout.session.completed"), event_of(row, "charge.refunded", amount=1900))

        address = reverse("receipt-pdf", args=[token_of(row)])
        page, pdf = text_of(reader.get(reverse("receipt", args=[token_of(row)]))), reader.get(address)

        assert (pdf["Content-Type"], "no-store" in pdf["Cache-Control"]) == ("application/pdf", True)
        assert pdf["Content-Disposition"] == 'inline; filename="R-000001.pdf"'
        told = words_of(pdf.content)
        for words in (
            "Receipt R-000001", "Maison des arts SARL, RCS Lyon 123 456 789", "69001 Lyon", "bonjour@maison.example",
            "Łucja Ødegård-Ελένη", row.order.number, "Pottery", "€49.00", "Given back since",
        ):  # fmt: skip
            assert words in page
            assert words in told
        french = words_of(reader.get(address, HTTP_ACCEPT_LANGUAGE="fr").content)
        assert "Reçu R-000001" in french
        assert "49,00 €" in french

    def test_is_one_sheet(self, reader, registration):
        open_shop()
        hear(event_of(registration, "checkout.session.completed"))

        pdf = reader.get(reverse("receipt-pdf", args=[token_of(registration)])).content

        assert len(re.findall(rb"/Type /Page\b(?!s)", pdf)) == 1
        assert len(pdf) < 100_000

    def test_of_a_module_is_for_who_has_bought_it(self, reader):
        ada = UserFactory(email="ada@example.com", name="Ada", language="en")
        make_buyer(ada, make_module(access_days=30))
        address = reverse("module-receipt-pdf", args=[Order.objects.get().public_id])
        assert reader.get(address).status_code == 302

        reader.force_login(ada)

        assert "Access for 30 days" in words_of(reader.get(address).content)


class TestPaymentReceipt:
    def test_has_its_number_from_the_same_series_and_the_period_that_was_paid(self, reader, payment, registration):
        hear(event_of(registration, "checkout.session.completed"))
        reader.get(reverse("receipt", args=[token_of(registration)]))
        reader.force_login(payment.subscription.customer.user)

        page = text_of(reader.get(reverse("payment-receipt", args=[payment.pk])))

        assert "Receipt R-000002" in page
        assert "March 2, 2026 to April 2, 2026 €4.00" in page
        assert Receipt.objects.get(payment=payment).number == 2
        assert text_of(reader.get(reverse("payment-receipt", args=[payment.pk]))) == page
        assert "Receipt R-000002" in words_of(reader.get(reverse("payment-receipt-pdf", args=[payment.pk])).content)

    def test_is_nobody_elses(self, reader, payment):
        reader.force_login(UserFactory())

        assert reader.get(reverse("payment-receipt", args=[payment.pk])).status_code == 404
        assert not Receipt.objects.exists()

    def test_is_listed_and_reached_from_the_account(self, reader, payment):
        Payment.objects.create(key="in_0", subscription=payment.subscription, received=0, currency="eur", paid_at=NOON)
        reader.force_login(payment.subscription.customer.user)

        assert reverse("subscription-payments") in reader.get("/account/").content.decode()
        assert text_of(reader.get(reverse("subscription-payments"))).count("€4.00 March 2, 2026") == 1

    def test_is_exported_with_its_person(self, reader, payment):
        reader.force_login(payment.subscription.customer.user)
        reader.get(reverse("payment-receipt", args=[payment.pk]))

        [told] = export_individual(find_individual("ada@example.com"), at=NOON)["receipts"]

        assert told["payment_id"] == payment.pk
