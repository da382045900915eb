"""Who has paid without any access, and the repair: asked for, shown, then done with a reason."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse

from config.celery import app
from modules_access.admin.repairs import next_repair
from modules_access.models import ModuleAccess
from modules_access.repair.repair import REPAIR_AT
from payments.orders.models import OrderChange
from payments.statuses import EffectStatus
from tests.support.members import make_member
from tests.support.modules import make_buyer, make_learner, make_module, make_token
from tests.support.pages import text_of

NOW = datetime.now(UTC)
MOST_QUERIES = 10


def ask_to_repair(page, *keys, query="", **fields):
    """What the button sends, and, with `confirmed`, the page between."""
    data = {"action": "repair", "_selected_action": keys, **fields}
    return page.post(reverse("admin:modules_access_repair") + query, data, follow=True)


def confirm(page, *keys, query="", **fields):
    shown = re.search(r'name="preview_token" value="([^"]+)"', ask_to_repair(page, *keys).content.decode())[1]
    given = {"confirmed": "x", "preview_token": unescape(shown), "reason": "restored from a back-up", **fields}
    return ask_to_repair(page, *keys, query=query, **given)


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


class TestPaidWithoutPage:
    ADDRESS = "admin:modules_access_paid_without"

    def test_says_that_everything_fits_and_when_it_looks_again(self, page, purchase):
        text = text_of(page.get(reverse(self.ADDRESS)))

        assert "Everything fits" in text
        assert "Next repair of the night:" in text

    def test_lists_what_is_paid_and_missing(self, page, learner, module, broken):
        member = make_member(user=learner, at=NOW)
        make_token(learner, module, at=NOW)
        ModuleAccess.objects.all().delete()

        text = text_of(page.get(reverse(self.ADDRESS)))

        assert "3 accesses are missing" in text
        assert "€49.00" in text
        assert broken.order.number in text
        assert member.stripe_id in text

    def test_takes_few_queries_however_many_there_are(self, queries_of, learner, module, broken):
        member = make_member(user=learner, at=NOW)
        for number in range(5):
            make_buyer(make_learner(f"learner{number}@example.com"), make_module(f"m{number}"))
        make_token(learner, module, at=NOW)
        ModuleAccess.objects.exclude(subscription=member).delete()

        assert queries_of(reverse(self.ADDRESS)) <= MOST_QUERIES

    def test_knows_the_timetable(self):
        schedule = app.conf.beat_schedule["repair accesses"]["schedule"]

        assert (schedule.hour, schedule.minute) == ({REPAIR_AT.hour}, {REPAIR_AT.minute})
        assert abs(schedule.remaining_estimate(NOW) + datetime.now(UTC) - next_repair(NOW)) < timedelta(minutes=1)

    @pytest.mark.parametrize(
        ("at", "next_at"),
        [
            (datetime(2026, 3, 2, 2, 39, tzinfo=UTC), datetime(2026, 3, 2, 2, 40, tzinfo=UTC)),
            (datetime(2026, 3, 2, 2, 40, tzinfo=UTC), datetime(2026, 3, 3, 2, 40, tzinfo=UTC)),
            (datetime(2026, 7, 2, 12, tzinfo=UTC), datetime(2026, 7, 3, 1, 40, tzinfo=UTC)),
        ],
    )
    def test_goes_by_the_clock_of_the_site(self, settings, at, next_at):
        settings.TIME_ZONE = "Europe/Paris"

        assert next_repair(at) == next_at


class TestRepairPage:
    def test_shows_before_and_after_and_changes_nothing(self, page, broken):
        text = text_of(ask_to_repair(page, f"order:{broken.order_id}"))

        assert "Put 1 access right?" in text
        assert "Active – yes" in text
        assert "No e-mail goes out" in text
        assert not ModuleAccess.objects.exists()

    def test_announces_the_mail_that_was_skipped_for_want_of_the_access(self, page, broken):
        broken.order.effects.update(status=EffectStatus.SKIPPED)

        text = text_of(ask_to_repair(page, f"order:{broken.order_id}"))

        assert "1 e-mail goes out." in text
        assert "No e-mail goes out" not in text

    def test_heals_with_a_reason_and_leads_back(self, page, staff, learner, module, broken):
        query = f"?user={learner.pk}&module={module.pk}"

        response = confirm(page, f"order:{broken.order_id}", query=query)

        assert messages_of(response) == ["1 access was put right."]
        assert response.redirect_chain[-1][0] == reverse("admin:modules_access_doctor") + query
        assert ModuleAccess.objects.get().is_active
        assert OrderChange.objects.filter(source="repair: staff@example.com: restored from a back-up").exists()

    def test_heals_all_that_were_chosen(self, page, learner, module, broken):
        member = make_member(user=learner)
        token = make_token(learner, module)
        ModuleAccess.objects.all().delete()

        confirm(page, f"order:{broken.order_id}", f"subscription:{member.pk}", f"token:{token.pk}")

        assert set(ModuleAccess.objects.values_list("access_type", flat=True)) == {"purchase", "subscription", "token"}

    def test_needs_a_reason(self, page, broken):
        response = confirm(page, f"order:{broken.order_id}", reason=" ")

        assert "errorlist" in response.content.decode()
        assert not ModuleAccess.objects.exists()

    def test_refuses_what_was_not_shown(self, page, broken):
        response = confirm(page, f"order:{broken.order_id}", preview_token='{"accesses": ["other"]}')

        assert messages_of(response) == ["Something has changed since: these are the differences now."]
        assert not ModuleAccess.objects.exists()

    def test_finds_nothing_the_second_time(self, page, broken):
        confirm(page, f"order:{broken.order_id}")

        response = ask_to_repair(page, f"order:{broken.order_id}")

        assert messages_of(response) == ["Nothing differs any more."]

    @pytest.mark.parametrize("key", ["", "order:", "order:x", "user:1", "order:²", f"order:{2**70}", "order:999"])
    def test_takes_no_nonsense(self, page, broken, key):
        response = ask_to_repair(page, key)

        assert messages_of(response) == ["Nothing differs any more."]

    def test_acts_on_a_post_only(self, page, broken):
        assert page.get(reverse("admin:modules_access_repair")).status_code == 405
