import logging
from datetime import timedelta

import jwt
import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from modules_access.jwt import read_token
from modules_access.models import AccessToken, ModuleAccess
from tests.support.modules import make_buyer, make_grant, make_learner, make_module, make_token
from tests.support.pages import text_of

LIST = reverse("admin:modules_access_accesstoken_changelist")
ADD = reverse("admin:modules_access_accesstoken_add")
DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now()


def own_page(token, page="change"):
    return reverse(f"admin:modules_access_accesstoken_{page}", args=[token.pk])


def typed(of, **changes):
    usual = {
        "email": "ada@example.com", "module": of.pk, "access_level": "standard", "hours": "72", "uses": "100",
        "reason": "a trial",
    }  # fmt: skip
    return {**usual, **changes}


def revoke(page, *tokens, **more):
    data = {"action": "revoke_action", "index": "0", "_selected_action": [each.pk for each in tokens], **more}
    return page.post(LIST, data, follow=True)


def found(page, **query):
    return sorted(row.pk for row in page.get(LIST, query).context["cl"].result_list)


class TestCreate:
    def test_makes_a_token_and_shows_it_once(self, page, module, learner, staff, now):
        response = page.post(ADD, typed(module, hours="2", uses="3"))

        token = AccessToken.objects.get()
        raw = response.context["secret"]
        assert response.status_code == 200
        assert f">{raw}</textarea>" in response.content.decode()
        assert read_token(raw, audience=module.audience, at=timezone.now()).jti == token.jti
        assert (token.user, token.max_usage, token.reason, token.created_by) == (learner, 3, "a trial", staff)
        assert timedelta(hours=2) <= token.expires_at - now < timedelta(hours=2, minutes=1)
        assert ModuleAccess.objects.get(token=token).is_open(at=now)

    def test_keeps_it_nowhere(self, page, module, learner, caplog):
        with caplog.at_level(logging.DEBUG):
            response = page.post(ADD, typed(module))

        raw = response.context["secret"]
        assert "no-store" in response["Cache-Control"]
        assert not list(response.context["messages"])
        assert raw not in page.get(LIST).content.decode()
        assert raw not in page.get(own_page(AccessToken.objects.get())).content.decode()
        assert raw not in caplog.text
        assert raw not in "".join(str(each.get_decoded()) for each in Session.objects.all())
        assert raw not in "".join(each.change_message for each in LogEntry.objects.all())
        assert raw not in str(list(AccessToken.objects.values()))

    def test_starts_with_what_the_settings_say(self, page, module):
        content = page.get(ADD).content.decode()

        assert 'name="hours" value="72"' in content
        assert 'name="uses" value="100"' in content
        assert 'name="access_level" value="standard"' in content

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"email": "nobody@example.com"}, "Nobody has an account"),
            ({"hours": "0"}, "greater than or equal to 1"),
            ({"hours": "99999999999"}, "less than or equal to"),
            ({"uses": "0"}, "greater than or equal to 1"),
            ({"uses": "99999999999"}, "less than or equal to"),
            ({"access_level": "x" * 31}, "at most 30"),
            ({"reason": ""}, "required"),
        ],
    )
    def test_says_what_is_wrong(self, page, module, learner, wrong, why):
        response = page.post(ADD, typed(module, **wrong))

        assert why in text_of(response)
        assert not AccessToken.objects.exists()

    def test_needs_the_right_to_add_one(self, page_of, module, learner):
        assert page_of("view_accesstoken", "revoke_token").post(ADD, typed(module)).status_code == 403
        assert page_of("add_accesstoken").post(ADD, typed(module)).status_code == 200
        assert AccessToken.objects.count() == 1


class TestList:
    def test_shows_uses_state_and_what_each_rests_on(self, page, module, learner, now):
        order = make_buyer(learner, module, at=now).order
        make_token(learner, module, order=order, at=now)
        AccessToken.objects.update(used=97)
        grant = make_grant(learner, module, at=now)
        make_token(learner, module, grant=grant, at=now)

        text = text_of(page.get(LIST))

        assert "97/100" in text
        assert order.number in text
        assert grant.number in text

    def test_says_how_each_stands(self, page, module, learner, now):
        for used, changes in ((0, {}), (100, {}), (0, {"expires_at": now}), (0, {"revoked_at": now})):
            token = make_token(learner, module, at=now)
            AccessToken.objects.filter(pk=token.pk).update(used=used, **changes)
        ModuleAccess.objects.filter(token=make_token(learner, module, at=now)).update(
            is_active=False, ended_at=now, ended_reason="revoked"
        )

        states = [row["state"] for row in self.rows(page)]

        assert states == ["ended Taken back by staff.", "revoked", "expired", "used up", "active"]

    def test_finds_by_address_beginning_and_order(self, page, module, learner):
        order = make_buyer(learner, module).order
        paid = make_token(learner, module, order=order)
        other = make_token(make_learner("bob@example.com"), module)

        assert found(page, q="Bob@example.com") == [other.pk]
        assert found(page, q=paid.prefix) == [paid.pk]
        assert found(page, q=paid.prefix[:8].upper()) == [paid.pk]
        assert found(page, q=str(paid.jti)) == [paid.pk]
        assert found(page, q=order.number) == [paid.pk]
        assert found(page, q=str(order.public_id)) == [paid.pk]

    def test_takes_as_many_queries_for_many(self, module, learner, queries_of):
        make_token(learner, module)
        few = queries_of(LIST)
        for number in range(5):
            person = make_learner(f"person{number}@example.com")
            make_token(person, make_module(f"more-{number}"), order=make_buyer(person, module).order)

        assert queries_of(LIST) == few <= 10

    @staticmethod
    def rows(page):
        changelist = page.get(LIST).context["cl"]
        screen = changelist.model_admin
        return [{"state": " ".join(text_of_html(screen.state(row)).split())} for row in changelist.result_list]


def text_of_html(html):
    return str(html).replace("</span>", "").split(">", 1)[1]


class TestRevoke:
    def test_asks_first(self, page, module, learner):
        token = make_token(learner, module)

        assert "Revoke these tokens?" in text_of(revoke(page, token))

        token.refresh_from_db()
        assert token.revoked_at is None

    def test_ends_the_token_and_its_access_with_a_reason(self, page, module, learner):
        token, other = make_token(learner, module), make_token(learner, module)

        response = revoke(page, token, confirmed="1", reason="lost")

        token.refresh_from_db()
        other.refresh_from_db()
        assert "1 revoked." in text_of(response)
        assert (token.revoked_by, token.revoked_reason) == ("staff@example.com", "lost")
        assert not ModuleAccess.objects.get(token=token).is_active
        assert other.revoked_at is None
        assert "is revoked already" in text_of(revoke(page, token, confirmed="1", reason="again"))

    def test_needs_a_right_of_its_own(self, page_of, module, learner):
        token = make_token(learner, module)

        page = page_of("view_accesstoken", "change_accesstoken")
        revoke(page, token, confirmed="1", reason="x")

        token.refresh_from_db()
        assert token.revoked_at is None
        assert "Revoke…" not in text_of(page.get(own_page(token)))


class TestPage:
    def test_lets_nobody_edit_or_delete(self, page, module, learner):
        token = make_token(learner, module)

        assert page.post(own_page(token), {"max_usage": "9"}).status_code == 403
        assert page.post(own_page(token, "delete"), {"post": "yes"}).status_code == 403

    def test_shows_nothing_that_could_be_used(self, page, module, learner):
        token = make_token(learner, module)

        content = page.get(own_page(token)).content.decode()

        assert token.prefix in content
        assert "eyJ" not in content
        with pytest.raises(jwt.PyJWTError):
            jwt.get_unverified_header(token.prefix)
