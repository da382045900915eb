from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from modules_access.models import AccessToken, ModuleAccess
from payments.apply.apply import follow_subscriptions_again
from tests.support.factories import NOON, UserFactory
from tests.support.members import make_member
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token
from tests.support.pages import text_of

LIST = reverse("admin:modules_access_moduleaccess_changelist")
ADD = reverse("admin:modules_access_moduleaccess_add")
DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now()


def own_page(access, page="change"):
    return reverse(f"admin:modules_access_moduleaccess_{page}", args=[access.pk])


def moment(at):
    """As the browser sends it."""
    return timezone.localtime(at).strftime("%Y-%m-%dT%H:%M")


def act(page, action, *accesses, **more):
    data = {"action": action, "index": "0", "_selected_action": [each.pk for each in accesses], **more}
    return page.post(LIST, data, follow=True)


def found(page, **query):
    return sorted(row.pk for row in page.get(LIST, query).context["cl"].result_list)


class TestList:
    def test_shows_how_each_stands_and_what_gives_it(self, page, module, learner, now):
        order = make_buyer(learner, module, at=now).order
        make_token(learner, module, at=now)
        AccessToken.objects.update(used=97)
        give_back(make_buyer(learner, make_module("singing"), at=now).order, at=now)

        text = text_of(page.get(LIST))

        assert order.number in text
        assert "97/100" in text
        assert "ended The money has gone back." in text
        assert "active" in text

    @pytest.mark.parametrize(("state", "place"), [("active", 0), ("expired", 1), ("used_up", 2), ("ended", 3)])
    def test_is_filtered_by_state(self, page, module, learner, now, state, place):
        rows = [make_grant(learner, module, at=now) for _ in range(4)]
        used_up = make_token(learner, module, at=now)
        AccessToken.objects.update(used=100)
        ModuleAccess.objects.filter(pk=rows[1].pk).update(expires_at=now)
        ModuleAccess.objects.filter(pk=rows[3].pk).update(is_active=False, ended_at=now, ended_reason="revoked")
        ModuleAccess.objects.filter(pk=rows[2].pk).delete()
        rows[2] = used_up.access

        assert found(page, state=state) == [rows[place].pk]

    def test_finds_by_address_number_order_and_subscription(self, page, module, learner):
        purchase = make_buyer(learner, module)
        token = make_token(learner, module, order=purchase.order)
        bought = ModuleAccess.objects.get(order=purchase.order)
        member = make_member(user=UserFactory())
        follow_subscriptions_again([member.pk], source="test", at=NOON)
        subscribed = ModuleAccess.objects.get(subscription=member)

        assert found(page, q=" ADA@example.com ") == [bought.pk, token.access.pk]
        assert found(page, q=bought.number) == [bought.pk]
        assert found(page, q=purchase.order.number) == [bought.pk, token.access.pk]
        assert found(page, q=str(purchase.order.public_id)) == [bought.pk, token.access.pk]
        assert found(page, q=member.stripe_id) == [subscribed.pk]
        assert found(page, q="ada") == []

    def test_takes_as_many_queries_for_many(self, module, learner, queries_of):
        make_grant(learner, module)
        few = queries_of(LIST)
        for number in range(5):
            person = make_learner(f"person{number}@example.com")
            make_buyer(person, module)
            make_token(person, module)

        assert queries_of(LIST) == few <= 10


class TestGrant:
    def typed(self, of, **changes):
        return {"email": "Ada@Example.com", "module": of.pk, "until": "", "reason": "a prize", **changes}

    def test_lets_a_person_in_and_keeps_who_and_why(self, page, module, learner):
        page.post(ADD, self.typed(module))

        access = ModuleAccess.objects.get()
        assert (access.user, access.module, access.access_type, access.expires_at) == (learner, module, "grant", None)
        (kept,) = access.metadata["acts"]
        assert (kept["what"], kept["reason"], kept["by"]) == ("granted", "a prize", "staff@example.com")
        assert "given · staff@example.com · a prize" in text_of(page.get(own_page(access)))

    def test_ends_when_it_was_told_to(self, page, module, learner, now):
        until = (now + 30 * DAY).replace(second=0, microsecond=0)

        page.post(ADD, self.typed(module, until=moment(until)))

        assert ModuleAccess.objects.get().expires_at == until

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"email": "nobody@example.com"}, "Nobody has an account with this address."),
            ({"email": "ada"}, "valid email"),
            ({"email": ""}, "required"),
            ({"module": ""}, "required"),
            ({"until": "2020-01-01T12:00"}, "This date is in the past."),
            ({"until": "soon"}, "valid date/time"),
            ({"reason": " "}, "required"),
        ],
    )
    def test_says_what_is_wrong(self, page, module, learner, wrong, why):
        response = page.post(ADD, self.typed(module, **wrong))

        assert why in text_of(response)
        assert not ModuleAccess.objects.exists()

    def test_needs_a_right_of_its_own(self, page_of, module, learner):
        looks, gives = page_of("view_moduleaccess", "add_moduleaccess"), page_of("grant_access", "view_moduleaccess")

        assert looks.post(ADD, self.typed(module)).status_code == 403
        assert not ModuleAccess.objects.exists()
        assert gives.post(ADD, self.typed(module)).status_code == 302
        assert ModuleAccess.objects.exists()


class TestExtend:
    @pytest.fixture
    def access(self, module, learner, now):
        return make_grant(learner, module, expires_at=now + DAY, at=now)

    def test_asks_first_and_shows_how_it_stands(self, page, access):
        response = act(page, "extend_action", access)

        assert "Extend these accesses?" in text_of(response)
        assert access.number in text_of(response)
        assert access.expires_at == ModuleAccess.objects.get().expires_at

    def test_lets_it_last_longer_with_a_reason(self, page, access, now):
        until = (now + 30 * DAY).replace(second=0, microsecond=0)

        response = act(page, "extend_action", access, confirmed="1", until=moment(until), reason="was ill")

        access.refresh_from_db()
        assert "1 extended." in text_of(response)
        assert (access.expires_at, access.extended_until) == (until, until)
        assert "extended · staff@example.com · was ill" in text_of(page.get(own_page(access)))

    def test_says_why_it_is_refused(self, page, access, module, learner, now):
        endless = make_grant(learner, module)

        response = act(
            page, "extend_action", access, endless, confirmed="1", until=moment(now + 2 * DAY), reason="was ill"
        )  # fmt: skip

        assert "1 extended." in text_of(response)
        assert "1 refused" in text_of(response)
        assert "lasts as long as that already" in text_of(response)

    @pytest.mark.parametrize("wrong", [{"reason": ""}, {"until": ""}, {"until": "2020-01-01T00:00"}])
    def test_needs_a_date_to_come_and_a_reason(self, page, access, now, wrong):
        data = {"until": moment(now + 9 * DAY), "reason": "was ill", **wrong}

        response = act(page, "extend_action", access, confirmed="1", **data)

        assert "Extend these accesses?" in text_of(response)
        assert ModuleAccess.objects.get().expires_at == access.expires_at

    def test_needs_a_right_of_its_own(self, page_of, access, now):
        page = page_of("view_moduleaccess", "revoke_access")

        act(page, "extend_action", access, confirmed="1", until=moment(now + 9 * DAY), reason="was ill")

        assert ModuleAccess.objects.get().expires_at == access.expires_at
        assert "Extend…" not in text_of(page.get(own_page(access)))
        assert "Take back…" in text_of(page.get(own_page(access)))


class TestTakeBack:
    def test_asks_first(self, page, module, learner):
        access = make_grant(learner, module)

        response = act(page, "revoke_action", access)

        assert "They end at once and for good" in text_of(response)
        assert "no end date" in text_of(response)
        assert ModuleAccess.objects.get().is_active

    def test_ends_it_with_a_reason_and_leaves_the_others(self, page, module, learner):
        bought = ModuleAccess.objects.get(order=make_buyer(learner, module).order)
        given = make_grant(learner, module)

        response = act(page, "revoke_action", bought, confirmed="1", reason="shared it")

        bought.refresh_from_db()
        given.refresh_from_db()
        assert "1 taken back." in text_of(response)
        assert (bought.is_active, bought.ended_reason, given.is_active) == (False, "revoked", True)
        assert "taken back · staff@example.com · shared it" in text_of(page.get(own_page(bought)))

    def test_says_when_it_was_done_already(self, page, module, learner):
        access = make_grant(learner, module)
        act(page, "revoke_action", access, confirmed="1", reason="shared it")

        response = act(page, "revoke_action", access, confirmed="1", reason="again")

        assert "has been taken back already" in text_of(response)

    def test_needs_a_right_of_its_own(self, page_of, module, learner):
        access = make_grant(learner, module)

        act(page_of("view_moduleaccess", "extend_access"), "revoke_action", access, confirmed="1", reason="x")

        assert ModuleAccess.objects.get().is_active


class TestPage:
    def test_lets_nobody_edit_or_delete(self, page, module, learner):
        access = make_grant(learner, module)

        assert page.post(own_page(access), {"is_active": ""}).status_code == 403
        assert page.post(own_page(access, "delete"), {"post": "yes"}).status_code == 403
        assert page.get(own_page(access)).status_code == 200

    def test_shows_acts_that_it_has_no_word_for_and_escapes_them(self, page, module, learner):
        access = make_grant(learner, module)
        access.metadata = {"acts": [{"what": "<b>repaired</b>", "at": "one day"}]}
        access.save()

        assert "&lt;b&gt;repaired&lt;/b&gt;" in page.get(own_page(access)).content.decode()

    def test_leads_to_why_there_is_access_or_none(self, page, page_of, module, learner):
        access = make_grant(learner, module)
        asked = f"{reverse('admin:modules_access_doctor')}?user={learner.pk}&amp;module={module.pk}"

        assert asked in page.get(own_page(access)).content.decode()
        assert asked not in page_of("view_moduleaccess").get(own_page(access)).content.decode()
        answer = page.get(asked.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert access.number in text_of(answer)

    def test_offers_no_extension_where_there_is_none(self, page, module, learner):
        endless = make_grant(learner, module)

        assert "Extend…" not in text_of(page.get(own_page(endless)))
