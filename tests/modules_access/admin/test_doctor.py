"""Why has somebody (no) access, who has paid without any, and the repair: asked for, shown, then done with a reason."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from payments.apply.apply import follow_subscriptions_again
from tests.support.factories import NOON
from tests.support.members import make_member
from tests.support.modules import give_back, make_grant, make_token
from tests.support.pages import text_of

NOW = datetime.now(UTC)
MOST_QUERIES = 10


def doctor(**asked):
    address = reverse("admin:modules_access_doctor")
    return f"{address}?{'&'.join(f'{name}={value}' for name, value in asked.items())}" if asked else address


class TestDoctorPage:
    def test_asks_for_a_person_first(self, page, db):
        response = page.get(doctor())

        assert response.status_code == 200
        assert "Why (no) access?" in text_of(response)

    def test_shows_the_chain_of_who_is_let_in(self, page, learner, module, purchase):
        text = text_of(page.get(doctor(user=learner.email, module="drawing")))

        assert "ada@example.com · Drawing grants access" in text
        assert "Order or plan OK" in text
        assert "The first broken link" not in text

    def test_shows_the_first_broken_link_on_top_and_the_repair(self, page, learner, module, broken):
        response = page.get(doctor(user=learner.pk, module=module.pk))

        text, content = text_of(response), response.content.decode()
        assert "The first broken link: Access. There is no access, although " in text
        assert "manage.py modules_repair" in text
        assert f'name="_selected_action" value="order:{broken.order_id}"' in content

    def test_offers_no_repair_where_none_would_help(self, page, learner, module, purchase):
        give_back(purchase.order)

        content = page.get(doctor(user=learner.pk, module=module.pk)).content.decode()

        assert "was refunded" in content
        assert 'name="_selected_action"' not in content

    def test_looks_at_an_order_alone(self, page, purchase):
        assert "grants access" in text_of(page.get(doctor(order=purchase.order.number)))

    @pytest.mark.parametrize("asked", [{"user": "nobody"}, {"module": "drawing"}, {"order": "O-000999"}])
    def test_says_what_is_not_known(self, page, db, asked):
        response = page.get(doctor(**asked))

        assert response.status_code == 200
        assert "errorlist" in response.content.decode()

    def test_escapes_what_strangers_wrote(self, page, db):
        content = page.get(doctor(user="<script>alert(1)</script>@example.com")).content.decode()

        assert "<script>alert" not in content

    def test_takes_few_queries(self, queries_of, learner, module, purchase):
        member = make_member(user=learner)
        follow_subscriptions_again([member.pk], source="test", at=NOON)
        make_token(learner, module, order=purchase.order)
        make_grant(learner, module)

        assert queries_of(doctor(user=learner.pk, module=module.pk)) <= MOST_QUERIES
        assert queries_of(doctor(user=learner.pk)) <= MOST_QUERIES


@pytest.mark.parametrize("name", ["doctor", "paid_without", "repair"])
class TestEveryDoctorScreen:
    def test_is_closed_without_its_right(self, page_of, name):
        clerk = page_of("view_module", "view_moduleaccess")

        assert clerk.get(reverse(f"admin:modules_access_{name}")).status_code == 403
        assert clerk.post(reverse(f"admin:modules_access_{name}")).status_code == 403

    def test_is_open_with_it(self, page_of, name):
        answer = page_of("diagnose_access", "repair_access").get(reverse(f"admin:modules_access_{name}"))

        assert answer.status_code == (405 if name == "repair" else 200)

    def test_is_for_staff_only(self, client, learner, name):
        client.force_login(learner)

        assert client.get(reverse(f"admin:modules_access_{name}")).status_code == 302
