"""The screen "Diagnose": any id → one sentence, what was found with links and buttons, the story; and its rights."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from payments.diagnosis.findings import Finding, Remedy
from payments.diagnosis.stripe_answers import StripeAnswers
from payments.ledger.models import RefusedDeliveries
from payments.statuses import EventStatus
from tests.support.factories import NOON, UserFactory
from tests.support.modules import make_buyer, make_learner, make_module
from tests.support.pages import text_of

MOST_QUERIES = 18  # the diagnosis of an order 12, its story 1, who asks and what they may 3, and the frame


@pytest.fixture
def screen(page):
    """`screen("O-1")`: the page, as text and as it is."""

    def look(text="", **more):
        return page.get(reverse("admin:diagnose"), {"q": text, **more})

    return look


@pytest.fixture
def clerk_with(db):
    """A browser of staff with only these rights."""

    def sign_in(*codenames):
        client = Client(headers={"accept-language": "en"})
        user = UserFactory(is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def dead_event(order):
    event = order.events.get(type="checkout.session.completed")
    event.status, event.error_kind, event.error = EventStatus.DEAD, "KeyError", "<b>amount</b>"
    event.save()
    return event


class TestDiagnose:
    def test_says_on_top_what_is_wrong_and_offers_the_button_that_heals_it(self, screen, dead_event):
        response = screen(dead_event.order.number)

        content = response.content.decode()
        assert f"{dead_event.stripe_event_id} (checkout.session.completed) was given up" in text_of(response)
        assert reverse("admin:payments_paymentevent_change", args=[dead_event.pk]) in content
        assert '<input type="hidden" name="action" value="replay">' in content
        assert f'name="_selected_action" value="{dead_event.pk}"' in content
        assert "<b>amount" not in content

    def test_button_leads_to_the_page_that_asks_for_a_reason(self, page, dead_event):
        action = {"action": "replay", "index": "0", "_selected_action": dead_event.pk}

        response = page.post(reverse("admin:payments_paymentevent_changelist"), action)

        assert f"Replay {dead_event.stripe_event_id}?" in text_of(response)

    def test_tells_the_story_of_an_order(self, screen, order):
        text = text_of(screen(order.number))

        assert "What happened" in text
        assert "Checkout was completed. The order is paid." in text

    def test_says_why_webhooks_fail_where_nothing_is_asked(self, screen):
        RefusedDeliveries.objects.create(
            hour=NOON.replace(year=2100), code="invalid_signature", count=7, last_at=NOON, host="shop.example"
        )

        text = text_of(screen())

        assert "Why do webhooks fail?" in text
        assert "7 deliveries were refused in the last 24 hours." in text
        assert "Compare the signing secret of this endpoint" in text

    def test_asks_stripe_only_when_told(self, screen, order, monkeypatch):
        asked = []
        monkeypatch.setattr(
            "payments.diagnosis.diagnose.ask_stripe", lambda questions: asked.append(questions) or StripeAnswers(NOON)
        )
        screen(order.number)

        text = text_of(screen(order.number, stripe="1"))

        assert len(asked) == 1
        assert "Ask Stripe again Stripe was asked: March 2, 2026" in text

    def test_lets_one_choose_among_people(self, screen):
        for address in ("ada@example.com", "ada2@example.com"):
            UserFactory(name="Ada", email=address)

        content = screen("ada").content.decode()

        assert 'href="?q=ada%40example.com"' in content or 'href="?q=ada@example.com"' in content

    def test_leads_to_the_chain_of_a_module(self, screen):
        purchase = make_buyer(make_learner(), make_module())
        purchase.order.module_accesses.all().delete()

        content = screen(purchase.order.number).content.decode()

        assert f"{reverse('admin:modules_access_doctor')}?user={purchase.user_id}&amp;module=drawing" in content

    @pytest.mark.parametrize("text", ["<script>alert(1)</script>", "x" * 300, "%", "' OR 1=1", "é\ud83d"])
    def test_takes_whatever_is_typed(self, screen, text):
        response = screen(text.encode("utf-8", "replace").decode())

        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()

    def test_takes_few_queries(self, screen, dead_event, django_assert_max_num_queries):
        with django_assert_max_num_queries(MOST_QUERIES):
            screen(dead_event.order.number)

    def test_reads_french(self, page, dead_event):
        response = page.get(
            reverse("admin:diagnose"), {"q": dead_event.order.number}, headers={"accept-language": "fr"}
        )

        assert "a été abandonné après" in text_of(response)


@pytest.mark.django_db
class TestRights:
    def test_are_needed(self, clerk_with):
        assert clerk_with("view_order").get(reverse("admin:diagnose")).status_code == 403

    def test_of_other_screens_decide_what_is_told(self, clerk_with, dead_event):
        address, asked = reverse("admin:diagnose"), {"q": dead_event.order.number}

        nothing = text_of(clerk_with("diagnose").get(address, asked))
        orders = text_of(clerk_with("diagnose", "view_order").get(address, asked))
        response = clerk_with("diagnose", "view_order", "view_paymentevent").get(address, asked)

        assert f"Nothing here that you may see is called “{dead_event.order.number}”." in nothing
        assert dead_event.stripe_event_id not in nothing + orders
        assert "Some of the findings are on screens that you may not see" in orders
        assert dead_event.stripe_event_id in text_of(response)
        # To see it is not to act on it.
        assert 'value="replay"' not in response.content.decode()

    def test_do_not_tell_whether_an_address_is_known(self, clerk_with):
        UserFactory(email="ada@example.com")
        address, client = reverse("admin:diagnose"), clerk_with("diagnose")

        known, unknown = (text_of(client.get(address, {"q": f"{name}@example.com"})) for name in ("ada", "eve"))

        assert known.replace("ada@", "eve@") == unknown


class TestFinding:
    def test_names_its_rows_once(self, order):
        finding = Finding("x", order, [order], Remedy("y"))

        assert finding.rows == [order]
