from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modules_access.models import Scope, ServiceKey
from modules_access.services.keys import (
    KeyNotMade,
    KeyNotRevoked,
    create_key,
    digest_of,
    find_key,
    revoke_key,
    rotate_key,
)
from tests.support.factories import NOON, make_staff

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def staff():
    return make_staff(email="staff@example.com")


@pytest.fixture
def make(staff):
    def make(**fields):
        usual = {
            "name": "school",
            "scopes": [Scope.VERIFY],
            "module": None,
            "expires_at": None,
            "by": staff,
            "at": NOON,
        }
        return create_key(**{**usual, **fields})

    return make


class TestCreateKey:
    def test_tells_the_key_once_and_keeps_its_digest(self, make, module, staff):
        make(name="another")

        key, raw = make(name=" school ", scopes=[Scope.REVOKE, "tokens:generate", Scope.REVOKE], module=module)

        kept = ServiceKey.objects.get(pk=key.pk)
        assert (kept.name, kept.scopes, kept.module) == ("school", ["tokens:generate", "tokens:revoke"], module)
        assert (kept.created_at, kept.created_by) == (NOON, staff)
        assert len(raw) == 55
        assert raw.startswith(f"{kept.prefix}_")
        assert kept.digest == digest_of(raw)
        assert raw[12:] not in str(ServiceKey.objects.filter(pk=key.pk).values().get())

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"name": " "}, "needs the name"),
            ({"scopes": []}, "one of the known rights"),
            ({"scopes": ["tokens:verify", "everything"]}, "one of the known rights"),
            ({"expires_at": NOON}, "over before it begins"),
        ],
    )
    def test_says_why_no_key_is_made(self, make, fields, why):
        with pytest.raises(KeyNotMade, match=why):
            make(**fields)

        assert not ServiceKey.objects.exists()


class TestRotateKey:
    def test_makes_another_for_the_same_and_lets_the_old_one_go_on_for_a_day(self, make, module, staff):
        old, old_raw = make(module=module)

        new, new_raw = rotate_key(key=old, by=staff, at=LATER)

        assert (new.name, new.scopes, new.module, new.expires_at) == (old.name, old.scopes, module, None)
        assert new_raw != old_raw
        assert find_key(new_raw, at=LATER + 2 * DAY) == new
        assert find_key(old_raw, at=LATER + DAY - timedelta(seconds=1)) == old
        assert find_key(old_raw, at=LATER + DAY) is None

    def test_leaves_the_old_one_its_earlier_end_and_gives_the_new_one_as_long_a_life(self, make, staff):
        old, _ = make(expires_at=NOON + 30 * DAY)
        at = NOON + 30 * DAY - timedelta(hours=1)

        new, _ = rotate_key(key=old, by=staff, at=at)

        old.refresh_from_db()
        assert old.expires_at == NOON + 30 * DAY
        assert new.expires_at == at + 30 * DAY

    def test_refuses_a_key_that_is_over(self, make, staff):
        expired, _ = make(expires_at=LATER)
        revoked, _ = make()
        revoke_key(key=revoked, reason="lost", by=staff, at=NOON)

        for key in (expired, revoked):
            with pytest.raises(KeyNotMade, match="not valid any more"):
                rotate_key(key=key, by=staff, at=LATER)

        assert ServiceKey.objects.count() == 2


class TestRevokeKey:
    def test_ends_it_at_once(self, make, staff):
        key, raw = make()
        _, other_raw = make()

        revoke_key(key=key, reason=" lost ", by=staff, at=LATER)

        key.refresh_from_db()
        assert (key.revoked_at, key.revoked_reason) == (LATER, "lost")
        assert find_key(raw, at=LATER) is None
        assert find_key(other_raw, at=LATER)

    def test_refuses_a_second_time_and_without_a_reason(self, make, staff):
        key, _ = make()
        with pytest.raises(KeyNotRevoked, match="needs a reason"):
            revoke_key(key=key, reason=" ", by=staff, at=LATER)
        revoke_key(key=key, reason="lost", by=staff, at=LATER)

        with pytest.raises(KeyNotRevoked, match="revoked already"):
            revoke_key(key=key, reason="again", by=staff, at=LATER + DAY)

        key.refresh_from_db()
        assert (key.revoked_at, key.revoked_reason) == (LATER, "lost")


class TestFindKey:
    def test_finds_none_for_what_is_no_key_of_ours(self, make):
        key, raw = make()
        last = "A" if raw[-1] != "A" else "B"

        for other in ("", "x", raw[:-1], raw[:-1] + last, raw + "A", f"{raw}\n", raw.upper(), key.prefix, "é" * 55):
            assert find_key(other, at=LATER) is None

        key.refresh_from_db()
        assert key.last_used_at is None

    def test_compares_as_long_where_nothing_is_found(self, make, monkeypatch):
        compared = []
        monkeypatch.setattr(
            "modules_access.services.keys.hmac.compare_digest",
            lambda one, other: compared.append((one, other)) or False,
        )
        _, raw = make()

        for each in (raw, "x", "mk_nobodyyy_" + "x" * 43):
            find_key(each, at=LATER)

        assert [len(other) for _, other in compared] == [64, 64, 64]

    def test_notes_its_use_at_most_once_a_minute(self, make):
        key, raw = make()
        find_key(raw, at=NOON)

        with CaptureQueriesContext(connection) as queries:
            find_key(raw, at=NOON + timedelta(seconds=59))
        key.refresh_from_db()
        assert len(queries) == 1
        assert key.last_used_at == NOON

        find_key(raw, at=NOON + timedelta(seconds=60))
        key.refresh_from_db()
        assert key.last_used_at == NOON + timedelta(seconds=60)
