from collections import Counter
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from accounts.models import User
from modules_access.jwt import TokenRefused, mint_pass, mint_token
from modules_access.models import AccessToken, ModuleAccess, PassUse, Scope, ServiceKey, TokenChecks
from modules_access.services import verify as verifying
from modules_access.services.grants import revoke_access
from modules_access.services.tokens import revoke_token
from modules_access.services.verify import Verified, forget_passes, verify
from tests.faults.test_races import at_once
from tests.support.factories import NOON
from tests.support.forged import forge, unsigned
from tests.support.modules import give_back, make_buyer, make_grant, make_learner, make_module, make_token

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def token(learner, module):
    return make_token(learner, module, uses=3)


@pytest.fixture
def raw(token):
    return mint_token(token, at=NOON)


def refused(raw, module, *, at=LATER, by=None):
    with pytest.raises(TokenRefused) as refusal:
        verify(raw, module=module, at=at, by=by)
    return refusal.value.code


def make_key(name):
    return ServiceKey.objects.create(name=name, prefix=name[:16], scopes=[Scope.VERIFY], created_at=NOON)


@pytest.fixture
def key(db):
    return make_key("the school")


def pass_of(access, *, at=LATER):
    return mint_pass(access, at=at)


class TestVerify:
    def test_tells_whom_to_let_in(self, raw, learner, module, token):
        verified = verify(raw, module=module, at=LATER)

        assert verified == Verified(learner, module, "standard", token.expires_at, 2)

    def test_counts_each_use_until_none_is_left(self, raw, module, token):
        left = [verify(raw, module=module, at=LATER).uses_left for _ in range(3)]

        assert left == [2, 1, 0]
        assert refused(raw, module) == "token_used_up"
        token.refresh_from_db()
        assert (token.used, token.last_used_at) == (3, LATER)

    def test_counts_nothing_for_a_refusal(self, raw, module, token):
        for wrong in (unsigned(raw), forge(raw, secret="x" * 40), "nothing"):
            refused(wrong, module)

        token.refresh_from_db()
        assert token.used == 0

    def test_refuses_the_token_of_another_module(self, raw):
        assert refused(raw, make_module("singing")) == "token_audience"

    def test_refuses_what_is_not_there_any_more(self, raw, module, token):
        AccessToken.objects.filter(pk=token.pk).delete()

        assert refused(raw, module) == "token_unknown"

    def test_refuses_a_revoked_token(self, raw, module, token):
        revoke_token(token=token, reason="lost", by="staff", at=NOON)

        assert refused(raw, module) == "token_revoked"

    def test_refuses_an_expired_token(self, raw, module, token):
        assert refused(raw, module, at=token.expires_at) == "token_expired"

    def test_refuses_a_token_that_was_shortened(self, raw, module, token):
        AccessToken.objects.update(expires_at=NOON + timedelta(minutes=1))

        assert refused(raw, module) == "token_expired"

    def test_says_why_the_access_has_ended(self, learner, module):
        purchase = make_buyer(learner, module)
        raw = mint_token(make_token(learner, module, order=purchase.order), at=NOON)
        give_back(purchase.order)

        with pytest.raises(TokenRefused) as refusal:
            verify(raw, module=module, at=LATER)

        assert refusal.value.code == "access_ended"
        assert str(refusal.value) == "The access has ended. The money has gone back."

    def test_refuses_an_access_that_was_shortened(self, raw, module):
        ModuleAccess.objects.update(expires_at=LATER)

        assert refused(raw, module) == "access_expired"

    def test_refuses_a_token_whose_access_was_lost(self, raw, module):
        ModuleAccess.objects.all().delete()

        assert refused(raw, module) == "access_missing"

    def test_refuses_who_has_no_account_any_more(self, raw, module, learner):
        learner.is_active = False
        learner.save()

        assert refused(raw, module) == "user_inactive"

    def test_refuses_a_token_that_became_somebody_elses(self, raw, module):
        somebody = make_learner("bob@example.com")
        ModuleAccess.objects.update(user=somebody)
        AccessToken.objects.update(user=somebody)

        assert refused(raw, module) == "token_unknown"

    def test_tries_again_what_was_repaired_meanwhile(self, raw, module, monkeypatch):
        ModuleAccess.objects.update(is_active=False, ended_at=NOON, ended_reason="not_paid")
        ask = verifying.find_refusal

        def repaired(access, *, at):
            ModuleAccess.objects.update(is_active=True, ended_at=None, ended_reason="")
            access.refresh_from_db()
            return ask(access, at=at)

        monkeypatch.setattr(verifying, "find_refusal", repaired)

        assert verify(raw, module=module, at=LATER).uses_left == 2

    def test_takes_three_statements(self, raw, module, monkeypatch, django_assert_num_queries):
        # Slot 0 also gathers what is old, once an hour.
        monkeypatch.setattr("modules_access.figures.random.randrange", lambda _most: 1)

        with django_assert_num_queries(3):
            verify(raw, module=module, at=LATER)


class TestVerifyPass:
    @pytest.fixture
    def bought(self, learner, module):
        return ModuleAccess.objects.get(order=make_buyer(learner, module).order)

    def test_counts_on_the_access(self, bought, learner, module):
        verified = [verify(pass_of(bought), module=module, at=LATER) for _ in range(2)]

        assert verified[0] == Verified(learner, module, "standard", None, None)
        bought.refresh_from_db()
        assert (bought.used, bought.last_used_at) == (2, LATER)

    def test_counts_on_the_token_that_gives_the_access(self, token, module):
        raw = pass_of(ModuleAccess.objects.get(token=token))

        assert verify(raw, module=module, at=LATER).uses_left == 2
        token.refresh_from_db()
        assert token.used == 1

    def test_lets_in_once_however_soon_and_by_whom_it_is_brought_again(self, bought, module, key):
        raw = pass_of(bought)
        verify(raw, module=module, by=key, at=LATER)

        again = [refused(raw, module, by=by, at=LATER) for by in (key, make_key("another"), None)]

        assert again == ["pass_used"] * 3
        bought.refresh_from_db()
        assert bought.used == 1

    def test_is_not_used_by_a_refusal(self, bought, learner, module, key):
        raw = pass_of(bought)
        User.objects.update(is_active=False)
        refused(raw, module, by=key)
        User.objects.update(is_active=True)

        assert verify(raw, module=module, by=key, at=LATER + timedelta(seconds=30)).user == learner

    def test_is_forgotten_when_it_would_be_over(self, bought, module, settings):
        verify(pass_of(bought), module=module, at=LATER)

        forget_passes(at=LATER + timedelta(seconds=settings.MODULES.pass_seconds - 1))
        assert PassUse.objects.exists()
        forget_passes(at=LATER + timedelta(seconds=settings.MODULES.pass_seconds + 1))
        assert not PassUse.objects.exists()

    def test_is_used_up_with_its_token(self, token, module):
        raw = pass_of(ModuleAccess.objects.get(token=token))
        AccessToken.objects.update(used=3)

        assert refused(raw, module) == "token_used_up"

    def test_ends_after_minutes(self, bought, module, settings):
        raw = pass_of(bought)

        assert refused(raw, module, at=LATER + timedelta(seconds=settings.MODULES.pass_seconds)) == "token_expired"

    def test_ends_with_the_access(self, bought, module):
        raw = pass_of(bought)
        give_back(bought.order)

        assert refused(raw, module) == "access_ended"

    def test_expires_with_the_access(self, bought, module):
        raw = pass_of(bought)
        ModuleAccess.objects.update(expires_at=LATER)

        assert refused(raw, module) == "access_expired"

    def test_ends_when_staff_take_it_back(self, learner, module):
        grant = make_grant(learner, module)
        raw = pass_of(grant)
        revoke_access(access=grant, reason="a mistake", by="staff", at=LATER)

        assert refused(raw, module) == "access_ended"

    def test_does_not_let_in_who_has_no_account_any_more(self, bought, learner, module):
        raw = pass_of(bought)
        learner.is_active = False
        learner.save()

        assert refused(raw, module) == "user_inactive"

    def test_is_unknown_where_the_access_is_gone(self, learner, module):
        grant = make_grant(learner, module)
        raw = pass_of(grant)
        grant.delete()

        assert refused(raw, module) == "token_unknown"

    def test_is_of_one_person(self, learner, module):
        raw = pass_of(make_grant(learner, module))
        ModuleAccess.objects.update(user=make_learner("bob@example.com"))

        assert refused(raw, module) == "token_unknown"


class TestVerifyIsCounted:
    def test_by_outcome(self, raw, module):
        verify(raw, module=module, at=LATER)
        verify(raw, module=module, at=LATER)
        refused(unsigned(raw), module)

        counts = Counter()
        for row in TokenChecks.objects.all():
            counts[row.outcome] += row.number
            assert row.micros > 0
        assert counts == {"ok": 2, "token_unsigned": 1}

    @pytest.mark.django_db(transaction=True)
    def test_and_nobody_is_kept_out_where_that_fails(self, raw, module, monkeypatch, caplog):
        monkeypatch.setattr("modules_access.figures.COUNT_SQL", "INSERT INTO nowhere VALUES (%(at)s)")

        assert verify(raw, module=module, at=LATER).uses_left == 2
        assert refused("nothing", module) == "token_malformed"
        assert "token.not_counted" in caplog.text


@pytest.mark.django_db(transaction=True)
class TestVerifyAtOnce:
    @pytest.mark.parametrize("as_pass", [False, True])
    def test_lets_exactly_ten_of_sixty_four_through(self, learner, module, as_pass):
        token = make_token(learner, module, uses=10)
        access = ModuleAccess.objects.get()
        raws = [pass_of(access) if as_pass else mint_token(token, at=NOON) for _ in range(64)]

        results = at_once(*(partial(verify, raw, module=module, at=LATER) for raw in raws))

        told = Counter(getattr(result, "code", "ok") for result in results)
        assert told == {"ok": 10, "token_used_up": 54}
        assert sorted(result.uses_left for result in results if isinstance(result, Verified)) == list(range(10))
        token.refresh_from_db()
        assert token.used == token.max_usage == 10

    def test_counts_every_use_of_an_access_that_is_not_limited(self, learner, module):
        access = ModuleAccess.objects.get(order=make_buyer(learner, module).order)

        results = at_once(*(partial(verify, pass_of(access), module=module, at=LATER) for _ in range(40)))

        assert {type(result) for result in results} == {Verified}
        access.refresh_from_db()
        assert access.used == 40

    def test_lets_one_in_of_many_who_bring_the_same_pass(self, learner, module):
        access = ModuleAccess.objects.get(order=make_buyer(learner, module).order)
        raw = pass_of(access)

        results = at_once(*[partial(verify, raw, module=module, at=LATER)] * 20)

        assert Counter(getattr(result, "code", "ok") for result in results) == {"ok": 1, "pass_used": 19}
        access.refresh_from_db()
        assert access.used == 1

    def test_lets_nobody_in_after_a_revocation_was_told(self, learner, module):
        token = make_token(learner, module, uses=1000)
        raw, told = mint_token(token, at=NOON), []

        def use():
            was_told = bool(told)
            try:
                verify(raw, module=module, at=LATER)
            except TokenRefused:
                return "refused"
            return "let in late" if was_told else "let in"

        def revoke():
            revoke_token(token=token, reason="lost", by="staff", at=LATER)
            connection.close()
            told.append(True)

        outcomes = Counter(at_once(*[use] * 10, revoke, *[use] * 10)) + Counter(use() for _ in range(3))

        assert outcomes["let in late"] == 0
        token.refresh_from_db()
        assert token.used == outcomes["let in"]
