import logging
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from modules_access.models import Scope, ServiceKey
from modules_access.services.keys import create_key, find_key
from tests.support.modules import make_module
from tests.support.pages import text_of

LIST = reverse("admin:modules_access_servicekey_changelist")
ADD = reverse("admin:modules_access_servicekey_add")
KEY = re.compile(r"mk_[\w-]{8}_[\w-]{43}")
DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def make_key(staff, now):
    def make(**fields):
        usual = {"name": "school", "scopes": [Scope.VERIFY], "module": None, "expires_at": None, "by": staff, "at": now}
        return create_key(**{**usual, **fields})

    return make


def own_page(key, page="change"):
    return reverse(f"admin:modules_access_servicekey_{page}", args=[key.pk])


def typed(**changes):
    usual = {
        "name": "school",
        "scopes": ["tokens:verify", "tokens:revoke"],
        "module": "",
        "expires_at": "",
        "reason": "for the school",
    }
    return {**usual, **changes}


def act(page, action, *keys, **more):
    data = {"action": action, "index": "0", "_selected_action": [each.pk for each in keys], **more}
    return page.post(LIST, data, follow=True)


def kept_somewhere(raw):
    places = [
        *(each.get_decoded() for each in Session.objects.all()),
        *(each.change_message for each in LogEntry.objects.all()),
        *ServiceKey.objects.values(),
    ]
    return raw in str(places)


class TestCreate:
    def test_shows_the_key_once(self, page, module, staff, caplog):
        with caplog.at_level(logging.DEBUG):
            response = page.post(ADD, typed(module=module.pk))

        (raw,) = KEY.findall(response.content.decode())
        key = ServiceKey.objects.get()
        assert find_key(raw, at=timezone.now()) == key
        assert (key.scopes, key.module, key.created_by) == (["tokens:verify", "tokens:revoke"], module, staff)
        assert "no-store" in response["Cache-Control"]
        assert not list(response.context["messages"])
        assert not kept_somewhere(raw)
        assert raw not in caplog.text

    def test_shows_it_never_again(self, page):
        page.post(ADD, typed())
        key = ServiceKey.objects.get()

        for address in (LIST, own_page(key), reverse("admin:index")):
            content = page.get(address).content.decode()
            assert not KEY.search(content)
            assert key.digest not in content

    @pytest.mark.parametrize(
        ("wrong", "why"),
        [
            ({"name": ""}, "required"),
            ({"scopes": []}, "required"),
            ({"reason": ""}, "required"),
            ({"scopes": ["everything"]}, "not one of the available choices"),
            ({"expires_at": "2020-01-01T00:00"}, "This date is in the past."),
        ],
    )
    def test_says_what_is_wrong(self, page, wrong, why):
        response = page.post(ADD, typed(**wrong))

        assert why in text_of(response)
        assert not ServiceKey.objects.exists()

    def test_needs_the_right_to_add_one(self, page_of):
        assert page_of("view_servicekey", "rotate_servicekey").post(ADD, typed()).status_code == 403
        assert not ServiceKey.objects.exists()


class TestRotate:
    def test_asks_first(self, page, make_key):
        key, _ = make_key()

        assert "Rotate this key?" in text_of(act(page, "rotate_action", key))

        assert ServiceKey.objects.count() == 1

    def test_shows_the_new_key_once_and_lets_the_old_one_go_on_for_a_day(self, page, make_key, now):
        key, old_raw = make_key()

        response = act(page, "rotate_action", key, confirmed="1", reason="a year is over")

        (raw,) = KEY.findall(response.content.decode())
        assert raw != old_raw
        assert find_key(raw, at=now + 2 * DAY).name == "school"
        assert find_key(old_raw, at=now) == key
        assert find_key(old_raw, at=now + 2 * DAY) is None
        assert "no-store" in response["Cache-Control"]
        assert not kept_somewhere(raw)
        told = dict(LogEntry.objects.values_list("object_id", "change_message"))
        assert told[str(ServiceKey.objects.latest("pk").pk)] == "a year is over"
        assert told[str(key.pk)].startswith("Rotate · a year is over · expires: – → ")

    def test_is_done_with_one_at_a_time(self, page, make_key):
        response = act(page, "rotate_action", make_key()[0], make_key()[0], confirmed="1", reason="x")

        assert "one key at a time" in text_of(response)
        assert ServiceKey.objects.count() == 2

    def test_says_why_it_is_refused(self, page, make_key, now):
        key, _ = make_key()
        ServiceKey.objects.update(revoked_at=now)

        response = act(page, "rotate_action", key, confirmed="1", reason="x")

        assert "is not valid any more" in text_of(response)
        assert "Rotate…" not in text_of(page.get(own_page(key)))

    def test_needs_a_right_of_its_own(self, page_of, make_key):
        key, _ = make_key()

        act(
            page_of("view_servicekey", "add_servicekey", "revoke_servicekey"),
            "rotate_action",
            key,
            confirmed="1",
            reason="x",
        )

        assert ServiceKey.objects.count() == 1


class TestRevoke:
    def test_asks_first_and_then_ends_it_at_once(self, page, make_key, now):
        key, raw = make_key()
        assert "Revoke these keys?" in text_of(act(page, "revoke_action", key))
        assert find_key(raw, at=now)

        response = act(page, "revoke_action", key, confirmed="1", reason="lost")

        assert "1 revoked." in text_of(response)
        assert find_key(raw, at=now) is None
        assert ServiceKey.objects.get().revoked_reason == "lost"
        assert LogEntry.objects.get().change_message.startswith("Revoke · lost · revoked: – → ")
        assert "is revoked already" in text_of(act(page, "revoke_action", key, confirmed="1", reason="again"))

    def test_needs_a_right_of_its_own(self, page_of, make_key, now):
        key, raw = make_key()

        act(
            page_of("view_servicekey", "add_servicekey", "rotate_servicekey"),
            "revoke_action",
            key,
            confirmed="1",
            reason="x",
        )

        assert find_key(raw, at=now)


class TestList:
    def test_shows_what_each_may_and_how_it_stands(self, page, module, make_key, now):
        make_key(name="of one", module=module, scopes=[Scope.GENERATE, Scope.VERIFY])
        make_key(name="of all", expires_at=now + DAY)
        ServiceKey.objects.filter(name="of all").update(expires_at=now)

        text = text_of(page.get(LIST))

        assert "make tokens, verify tokens Drawing valid" in text
        assert "verify tokens all modules expired" in text

    def test_takes_as_many_queries_for_many(self, make_key, queries_of):
        make_key()
        few = queries_of(LIST)
        for number in range(5):
            make_key(module=make_module(f"more-{number}"))

        assert queries_of(LIST) == few <= 10

    def test_lets_nobody_edit_or_delete(self, page, make_key):
        key, _ = make_key()

        assert page.post(own_page(key), typed(name="other")).status_code == 403
        assert page.post(own_page(key, "delete"), {"post": "yes"}).status_code == 403
