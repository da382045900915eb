"""The pack: all that is known, in the site's language, and nothing that opens something."""

import csv
import io
import re
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.utils import translation

from accounts.models import User
from payments.billing.models import Dispute, Refund
from payments.billing.receipts import receipt_for
from payments.effects.models import Effect
from payments.evidence import missing_evidence, pack_evidence
from payments.evidence.requirements import BY_REASON
from payments.ledger.models import PaymentEvent
from payments.orders.models import Order, OrderException
from registrations.links import token_of
from registrations.models import Activity, Registration
from tests.support.factories import NOON
from tests.support.resync import all_rows, differences
from tests.support.road import hear
from tests.support.subscriptions import subscription_object

pytestmark = pytest.mark.django_db
AT = NOON + timedelta(days=2)


def text_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)).split())


def rows_of(table):
    return list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))


class TestPack:
    def test_has_everything_in_one_folder(self, dispute):
        with ZipFile(io.BytesIO(pack_evidence(dispute, by="ada", at=AT))) as archive:
            assert archive.testzip() is None
            assert sorted(archive.namelist()) == [
                f"{dispute.stripe_id}/{name}"
                for name in (
                    "README.txt", "access.csv", "access.html", "facts.json", "mails.html", "receipt.html",
                    "timeline.csv", "timeline.html",
                )
            ]  # fmt: skip

    def test_is_the_same_at_the_same_moment(self, dispute):
        assert pack_evidence(dispute, by="ada", at=AT) == pack_evidence(dispute, by="ada", at=AT)

    def test_changes_nothing(self, dispute):
        before = all_rows()

        pack_evidence(dispute, by="ada", at=AT)

        assert differences(before, all_rows()) == []

    def test_speaks_the_sites_language_whoever_asks(self, dispute, files_of, settings):
        settings.LANGUAGE_CODE = "fr"

        with translation.override("en"):
            files = files_of(dispute)

        for name in ("timeline.html", "mails.html", "receipt.html"):
            assert 'lang="fr"' in files[name]
        assert "Payé par" in files["receipt.html"]


class TestReadme:
    def test_says_what_is_disputed_until_when(self, dispute, files_of):
        Dispute.objects.update(due_by=AT + timedelta(days=7, hours=1))
        dispute.refresh_from_db()

        text = files_of(dispute)["README.txt"]

        for fact in (dispute.stripe_id, "€49.00", dispute.order.number, "that is 7 days", "UTC"):
            assert fact in text

    @pytest.mark.parametrize("reason", [*BY_REASON, "general", "a_new_one", ""])
    def test_says_what_stripe_asks_for(self, dispute, files_of, reason):
        Dispute.objects.update(reason=reason)
        dispute.refresh_from_db()

        asked = re.findall(r"^\* .+$", files_of(dispute)["README.txt"], re.MULTILINE)

        assert len(asked) == len({*asked}) >= 3

    def test_says_so_where_no_deadline_is_known(self, dispute, files_of):
        dispute.due_by = None

        assert "Stripe names no deadline." in files_of(dispute)["README.txt"]

    def test_counts_no_days_of_a_deadline_that_has_passed(self, dispute, files_of):
        dispute.due_by = AT - timedelta(days=2)

        assert "From now" not in files_of(dispute)["README.txt"]


class TestTimeline:
    def test_tells_changes_events_and_messages_in_their_order(self, dispute, files_of):
        rows = rows_of(files_of(dispute)["timeline.csv"])

        told = [row["what"] for row in rows]
        assert "Checkout was completed. The order is paid. €49.00 received." in told
        assert "Sent to camille.martin@example.com." in told
        assert any(what.startswith("A dispute was opened.") for what in told)
        assert [row["utc"] for row in rows] == sorted(row["utc"] for row in rows)
        [paid] = [row for row in rows if row["what"].startswith("Checkout")]
        assert paid["source"] == dispute.order.events.get(type="checkout.session.completed").stripe_event_id

    def test_leaves_out_what_staff_did_among_themselves(self, dispute, files_of):
        OrderException.objects.create(order=dispute.order, kind="NO_PLACE", subject="x", opened_at=NOON)
        dispute.order.changes.create(
            field="freed", after="a known troublemaker", occurred_at=NOON, learned_at=NOON, source="ada@example.com"
        )

        text = files_of(dispute)["timeline.csv"]

        assert not [word for word in ("troublemaker", "ada@example.com", "Paid without a place") if word in text]

    def test_gives_every_moment_in_utc_and_in_the_sites_zone(self, dispute, files_of, settings):
        [row] = [row for row in rows_of(files_of(dispute)["timeline.csv"]) if row["what"].startswith("Checkout")]

        assert row["utc"] == "2026-03-02 12:00:00+00:00"
        assert row[settings.TIME_ZONE] == "2026-03-02 13:00:00+01:00"

    def test_can_be_read_as_a_page(self, dispute, files_of):
        text = text_of(files_of(dispute)["timeline.html"])

        assert "2026-03-02 12:00:00 2026-03-02 13:00:00 Checkout was completed. The order is paid." in text

    def test_lets_no_cell_be_a_formula(self, dispute, files_of):
        Registration.objects.update(name="=HYPERLINK(1)")

        told = [cell for row in rows_of(files_of(dispute)["timeline.csv"]) for cell in row.values()]

        assert "'=HYPERLINK(1) registered for Pottery." in told
        assert not [cell for cell in told if cell.startswith("=")]

    def test_of_a_subscription_lists_the_events_that_told_of_it(self, subscription_dispute, files_of):
        told_by = {"id": "evt_1", "type": "customer.subscription.updated", "livemode": False, "api_version": ""}
        hear({**told_by, "created": int(NOON.timestamp()), "data": {"object": subscription_object(metadata={})}})

        assert "evt_1" in files_of(subscription_dispute)["timeline.csv"]

    def test_of_a_subscription_is_its_own(self, subscription_dispute, dispute, files_of):
        rows = rows_of(files_of(subscription_dispute)["timeline.csv"])

        assert any("€4.00 received." in row["what"] for row in rows)
        assert not any("Checkout" in row["what"] for row in rows)


class TestMails:
    def test_are_shown_as_they_were_sent(self, dispute, files_of):
        Activity.objects.update(title="Something else")

        text = text_of(files_of(dispute)["mails.html"])

        assert "Votre place est confirmée : Pottery" in text
        assert "camille.martin@example.com" in text
        assert "not kept" not in text

    def test_whose_text_was_not_kept_are_shown_as_they_would_be_written_today(self, dispute, files_of):
        Effect.objects.update(sent=None)

        text = text_of(files_of(dispute)["mails.html"])

        assert "camille.martin@example.com" in text
        assert "registration.confirmed" in text
        assert "the text of that day is not kept" in text
        assert dispute.order.number in text

    def test_have_no_link_that_opens_the_buyers_page(self, dispute, files_of, settings):
        files = files_of(dispute)

        token = token_of(Registration.objects.get())
        assert all(token not in text for text in files.values())
        assert f"{settings.SITE_URL}/…" in files["mails.html"]

    def test_that_cannot_be_written_again_are_told_of(self, dispute, files_of):
        Order.objects.update(status="REFUNDED")
        Effect.objects.update(sent=None)

        text = text_of(files_of(dispute)["mails.html"])

        assert "Its text cannot be written again: The registration has moved on meanwhile." in text

    def test_that_may_not_have_gone_out_say_so(self, dispute, files_of):
        Effect.objects.filter(kind="registration.confirmed").update(status="UNCERTAIN", delivered_at=None)

        assert "It is not certain that it went out." in files_of(dispute)["mails.html"]

    def test_for_staff_or_never_sent_are_left_out(self, dispute, files_of):
        Effect.objects.filter(kind="registration.confirmed").update(status="SKIPPED")
        Effect.objects.filter(kind__startswith="alert.").update(status="DONE")

        assert "No e-mail was sent." in files_of(dispute)["mails.html"]


class TestFacts:
    def test_tell_order_buyer_payment_refunds_and_deadline(self, dispute, facts):
        order = dispute.order
        Refund.objects.create(
            stripe_id="re_9", order=order, payment=dispute.payment, amount=100, currency="eur", status="succeeded",
            status_at=NOON,
        )  # fmt: skip

        told = facts(dispute)

        assert told["order"]["number"] == order.number
        assert told["buyer"]["email"] == "camille.martin@example.com"
        assert (told["payment"]["id"], told["payment"]["amount"]) == (dispute.payment, 4900)
        assert [refund["amount"] for refund in told["refunds"]] == [100]
        assert told["dispute"]["answer_by"] == dispute.due_by.isoformat()
        assert told["subscription"] is None

    def test_of_a_subscription_tell_its_terms_and_its_person(self, subscription_dispute, facts):
        told = facts(subscription_dispute)

        assert (told["subscription"]["plan"], told["subscription"]["amount"]) == ("Gold", 400)
        assert (told["buyer"]["name"], told["buyer"]["city"]) == ("Ada Lovelace", "Lyon")
        assert told["payment"]["id"] == "in_1"
        assert told["order"] is None

    def test_have_of_the_card_its_brand_and_last_digits_only(self, dispute, facts, files_of):
        charge = {
            "object": "charge",
            "payment_intent": dispute.payment,
            "billing_details": {"name": "Camille Martin", "address": {"city": "Lyon", "line2": None}},
            "payment_method_details": {
                "type": "card",
                "card": {"brand": "visa", "last4": "4242", "fingerprint": "Xt5EWLLDS7FJjR1c", "exp_year": 2031},
            },
        }
        paid = dispute.order.events.get(type="payment_intent.succeeded")
        PaymentEvent.objects.filter(pk=paid.pk).update(payload={"data": {"object": charge}})

        told = facts(dispute)

        assert told["payment"]["card"] == {"brand": "visa", "last4": "4242"}
        assert (told["buyer"]["name"], told["buyer"]["billing_address"]) == ("Camille Martin", {"city": "Lyon"})
        assert all("Xt5EWLLDS7FJjR1c" not in text and "2031" not in text for text in files_of(dispute).values())

    def test_know_no_card_of_another_payment(self, dispute, facts):
        charge = {"payment_intent": "pi_other", "payment_method_details": {"card": {"last4": "1111"}}}
        paid = dispute.order.events.get(type="payment_intent.succeeded")
        PaymentEvent.objects.filter(pk=paid.pk).update(payload={"data": {"object": charge}})

        assert facts(dispute)["payment"]["card"].get("last4") is None

    def test_are_told_of_a_payment_that_nobody_has_heard_of(self, dispute, facts):
        Dispute.objects.update(payment="pi_unknown")
        dispute.refresh_from_db()

        assert facts(dispute)["payment"] is None


class TestReceipt:
    def test_is_the_one_that_was_issued(self, dispute, files_of):
        receipt = receipt_for(dispute.order_id, AT)

        text = text_of(files_of(dispute)["receipt.html"])

        assert f"Receipt {receipt}" in text
        assert "Total paid €49.00" in text

    def test_uses_up_no_number(self, dispute, files_of):
        assert "R-0" not in files_of(dispute)["receipt.html"]

    def test_of_a_subscription_names_it(self, subscription_dispute, files_of):
        text = text_of(files_of(subscription_dispute)["receipt.html"])

        for fact in ("Gold", "sub_1", "€4.00", "Ada Lovelace"):
            assert fact in text


class TestAccess:
    @pytest.mark.parametrize(("days", "words"), [(-1, "Took place"), (30, "Is going to take place")])
    def test_tells_of_the_place_and_its_day(self, dispute, files_of, days, words):
        Activity.objects.update(starts_at=AT + timedelta(days=days), place="Town hall")

        text = text_of(files_of(dispute)["access.html"])

        assert "Camille Martin registered for Pottery." in text
        assert f"{words}: Pottery, Town hall. A place was held for this person." in text

    def test_tells_of_the_account(self, dispute, files_of):
        User.objects.create_user(
            "camille.martin@example.com", email_confirmed_at=NOON, date_joined=NOON, last_login=NOON
        )

        text = text_of(files_of(dispute)["access.html"])

        for words in ("Account created", "E-mail address confirmed", "Signed in"):
            assert words in text

    def test_knows_nothing_of_an_account_whose_address_nobody_has_confirmed(self, dispute, files_of):
        User.objects.create_user("camille.martin@example.com")

        assert "Account created" not in files_of(dispute)["access.html"]

    def test_tells_what_a_subscription_opened(self, subscription_dispute, files_of):
        assert "The present period began. Gold" in text_of(files_of(subscription_dispute)["access.html"])


class TestMissingEvidence:
    def test_is_nothing_where_the_pack_shows_all_that_is_wanted(self, dispute):
        Dispute.objects.update(reason="fraudulent")
        dispute.refresh_from_db()

        assert missing_evidence(dispute, at=AT) == []

    def test_is_what_nothing_was_kept_of(self, dispute):
        dispute.reason = "fraudulent"
        Effect.objects.all().delete()

        assert missing_evidence(dispute, at=AT) == [
            "What you wrote to each other (customer_communication): mails.html."
        ]

    def test_is_what_nobody_here_can_know(self, dispute):
        dispute.reason = "subscription_canceled"

        [missing] = missing_evidence(dispute, at=AT)

        assert missing.startswith("Your rules for ending a subscription")
