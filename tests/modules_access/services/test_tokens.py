from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.db import IntegrityError, transaction

from modules_access.jwt import read_token
from modules_access.models import AccessToken, ModuleAccess
from modules_access.services.grants import extend_access, revoke_access
from modules_access.services.tokens import (
    NotGenerated,
    TokenNotMade,
    TokenNotRevoked,
    create_token,
    generate,
    revoke_token,
)
from modules_access.services.verify import verify
from tests.faults.test_races import at_once
from tests.support.factories import NOON
from tests.support.modules import (
    give_back,
    make_buyer,
    make_grant,
    make_learner,
    make_module,
    make_purchase,
    make_token,
    payment_of,
)

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


class TestCreateToken:
    def test_gives_access_as_long_as_it_lasts(self, learner, module):
        token = make_token(learner, module, uses=3, life=timedelta(days=1))

        access = ModuleAccess.objects.get()
        assert (access.access_type, access.token, access.expires_at) == ("token", token, NOON + timedelta(days=1))
        assert (token.uses_left, token.prefix) == (3, f"{str(token.jti)[:8]}…")

    @pytest.mark.parametrize(
        "given", [{"reason": ""}, {"max_usage": 0}, {"expires_at": NOON}], ids=["no reason", "no use", "no time"]
    )
    def test_refuses(self, learner, module, given):
        usual = {"reason": "a demo", "max_usage": 1, "expires_at": LATER}

        with pytest.raises(TokenNotMade):
            create_token(user=learner, module=module, access_level="standard", at=NOON, **{**usual, **given})

        assert not AccessToken.objects.exists()

    def test_is_one_for_an_order(self, learner, module):
        order = make_buyer(learner, module).order
        make_token(learner, module, order=order)

        with pytest.raises(IntegrityError), transaction.atomic():
            make_token(learner, module, order=order)


class TestRevokeToken:
    def test_ends_the_access_at_once_and_keeps_why(self, learner, module):
        token = make_token(learner, module)

        revoke_token(token=token, reason="leaked", by="sam", at=LATER)

        row, access = AccessToken.objects.get(), ModuleAccess.objects.get()
        assert (row.revoked_at, row.revoked_by, row.revoked_reason) == (LATER, "sam", "leaked")
        assert (access.is_active, access.ended_reason) == (False, "token_revoked")

    def test_leaves_the_purchase_on_which_it_rests(self, learner, module):
        order = make_buyer(learner, module).order

        revoke_token(token=make_token(learner, module, order=order), reason="leaked", by="sam", at=LATER)

        assert ModuleAccess.objects.get(order=order).is_open(at=LATER)

    @pytest.mark.parametrize("reason", ["", "again"])
    def test_refuses_without_a_reason_and_a_second_time(self, learner, module, reason):
        token = make_token(learner, module)
        revoke_token(token=token, reason="leaked", by="sam", at=LATER)

        with pytest.raises(TokenNotRevoked):
            revoke_token(token=token, reason=reason, by="sam", at=LATER)


@pytest.fixture
def order(learner, module):
    """Paid, by this person for this module."""
    return make_buyer(learner, module).order


@pytest.fixture
def ask(learner, module):
    """Asks for a token; what is not said is what a module usually says."""

    def asked(payment, *, at=LATER, **wanted):
        told = {"module": module, "user_id": str(learner.pk), "key": None, **wanted}
        return generate(payment_id=payment, at=at, **told)

    return asked


@pytest.fixture
def refused(ask):
    def code(payment, **wanted):
        with pytest.raises(NotGenerated) as refusal:
            ask(payment, **wanted)
        assert str(refusal.value)
        return refusal.value.code

    return code


def spellings(order):
    public = str(order.public_id)
    session = order.checkouts.get().session
    return [order.number, f"o-{order.pk}", public, public.upper(), public.replace("-", ""), session, payment_of(order)]


class TestGenerate:
    def test_makes_a_token_that_rests_on_the_order(self, ask, order, learner, module):
        made = ask(order.number)

        token = AccessToken.objects.get()
        assert (made.token, made.is_new) == (token, True)
        assert (token.user, token.module, token.order) == (learner, module, order)
        assert (token.access_level, token.max_usage) == ("standard", configured.MODULES.token_uses)
        assert token.expires_at == LATER + timedelta(hours=configured.MODULES.token_hours)
        assert token.access.is_open(at=LATER)
        assert verify(made.jwt, module=module, at=LATER).user == learner

    def test_makes_it_as_it_is_asked_for(self, ask, order):
        token = ask(order.number, access_level="premium", hours=5, uses=7).token

        assert (token.access_level, token.max_usage) == ("premium", 7)
        assert token.expires_at == LATER + timedelta(hours=5)

    def test_knows_the_payment_in_each_spelling(self, ask, order):
        made = [ask(name) for name in spellings(order)]

        assert [each.is_new for each in made] == [True] + [False] * 6
        assert {each.token.pk for each in made} == {AccessToken.objects.get().pk}

    def test_gives_the_same_token_with_a_fresh_jwt(self, ask, order, module):
        first = ask(order.number, uses=7)
        verify(first.jwt, module=module, at=LATER)

        again = ask(order.number, uses=7, at=LATER + timedelta(minutes=1))

        assert again.jwt != first.jwt
        assert (again.token, again.token.uses_left) == (first.token, 6)
        assert {
            read_token(each.jwt, audience=None, at=LATER + timedelta(minutes=1)).jti for each in (first, again)
        } == {first.token.jti}

    def test_knows_the_person_by_the_address_too(self, ask, order, learner):
        assert ask(order.number, user_id=learner.email.upper()).token.user == learner

    def test_rests_on_what_staff_gave(self, ask, learner, module):
        grant = make_grant(learner, module)

        made = [ask(name) for name in (grant.number, f"a-{grant.pk}")]

        assert [each.is_new for each in made] == [True, False]
        assert AccessToken.objects.get().grant == grant

    def test_never_outlives_what_was_bought(self, ask, learner):
        short = make_module("short", access_days=1)
        order = make_buyer(learner, short).order

        made = [ask(order.number, module=short, hours=72) for _ in range(2)]

        assert {each.token.expires_at for each in made} == {NOON + timedelta(days=1)}
        assert [each.is_new for each in made] == [True, False]

    def test_never_outlives_what_staff_gave(self, ask, learner, module):
        grant = make_grant(learner, module, expires_at=NOON + timedelta(hours=3))

        assert ask(grant.number).token.expires_at == NOON + timedelta(hours=3)

    def test_lasts_as_long_as_staff_have_extended_it(self, ask, learner):
        short = make_module("short", access_days=1)
        order = make_buyer(learner, short).order
        until = NOON + timedelta(days=9)
        extend_access(access=ModuleAccess.objects.get(), until=until, reason="was ill", by="staff", at=NOON)

        assert ask(order.number, module=short, hours=8760).token.expires_at == until

    def test_needs_no_access_that_was_lost(self, ask, learner):
        short = make_module("short", access_days=1)
        order = make_buyer(learner, short).order
        ModuleAccess.objects.all().delete()

        assert ask(order.number, module=short).token.expires_at == NOON + timedelta(days=1)

    def test_brings_the_access_of_the_token_back(self, ask, order, module):
        ask(order.number)
        ModuleAccess.objects.filter(access_type="token").delete()

        assert verify(ask(order.number).jwt, module=module, at=LATER)


class TestGenerateRefuses:
    @pytest.mark.parametrize(
        "user", ["0", "999999999999999999", "bob@example.com", "", "ada", "-1", "1.0", "٣", "x" * 255]
    )
    def test_who_is_not_there(self, refused, order, user):
        assert refused(order.number, user_id=user) == "unknown_user"

    def test_whose_address_is_not_confirmed(self, refused, order, learner):
        learner.email_confirmed_at = None
        learner.save()

        assert refused(order.number, user_id=learner.email) == "unknown_user"

    def test_whose_account_is_closed(self, refused, order, learner):
        learner.is_active = False
        learner.save()

        assert refused(order.number) == refused(order.number, user_id=learner.email) == "unknown_user"

    @pytest.mark.parametrize(
        "payment",
        [
            "", "O-0", "O-", "O-999999999999999999", "O-9999999999999999999", "A-0", "A-999999", "cs_nothing", "pi_x",
            "0b6f1f9c-6f0e-4c0e-9a53-0d8d3a1b2c4d", "1", "order:1", "ch_1", "evt_1", "O-1 ", "O-١", "None", "x" * 255,
        ],
    )  # fmt: skip
    def test_a_payment_that_is_not_there(self, refused, order, payment):
        assert refused(payment) == "unknown_payment"

    def test_an_access_that_is_no_grant(self, refused, order):
        assert refused(ModuleAccess.objects.get().number) == "unknown_payment"

    def test_the_payment_of_somebody_else(self, refused, order):
        bob = make_learner("bob@example.com")

        assert {refused(name, user_id=str(bob.pk)) for name in spellings(order)} == {"payment_of_another"}

    def test_the_payment_of_another_module(self, refused, order):
        assert refused(order.number, module=make_module("singing")) == "payment_of_another"

    def test_the_payment_of_something_else(self, refused, registration):
        assert refused(registration.order.number) == "payment_of_another"

    def test_what_staff_gave_somebody_else(self, refused, learner, module):
        bob = make_learner("bob@example.com")
        grants = [make_grant(bob, module), make_grant(learner, make_module("singing"))]

        assert {refused(grant.number) for grant in grants} == {"payment_of_another"}

    def test_what_is_not_paid(self, refused, learner, module):
        assert refused(make_purchase(learner, module).order.number) == "payment_not_paid"

    def test_what_was_refunded(self, refused, ask, order):
        give_back(order)

        assert refused(order.number) == "payment_not_paid"

    def test_what_was_refunded_after_the_token(self, refused, ask, order):
        ask(order.number)
        give_back(order)

        assert refused(order.number) == "payment_not_paid"

    def test_what_staff_have_taken_back(self, refused, order):
        revoke_access(access=ModuleAccess.objects.get(), reason="abuse", by="staff", at=NOON)

        assert refused(order.number) == "access_ended"

    def test_what_was_bought_for_a_time_that_is_over(self, refused, learner):
        short = make_module("short", access_days=1)
        order = make_buyer(learner, short).order

        assert refused(order.number, module=short, at=NOON + timedelta(days=1)) == "access_expired"

    def test_what_staff_gave_and_took_back(self, refused, learner, module):
        grant = make_grant(learner, module)
        revoke_access(access=grant, reason="a mistake", by="staff", at=NOON)

        assert refused(grant.number) == "grant_ended"

    def test_what_staff_gave_for_a_time_that_is_over(self, refused, learner, module):
        assert refused(make_grant(learner, module, expires_at=LATER).number) == "grant_ended"

    @pytest.mark.parametrize("other", [{"access_level": "premium"}, {"hours": 73}, {"uses": 8}])
    def test_other_parameters_than_before(self, refused, ask, order, other):
        wanted = {"access_level": "standard", "hours": 72, "uses": 7}
        ask(order.number, **wanted)

        assert refused(order.number, **{**wanted, **other}) == "generated_otherwise"
        assert not ask(order.number, **wanted).is_new

    def test_a_token_that_is_revoked(self, refused, ask, order):
        revoke_token(token=ask(order.number).token, reason="lost", by="staff", at=LATER)

        assert refused(order.number) == "token_revoked"

    def test_a_token_that_has_expired(self, refused, ask, order):
        end = ask(order.number).token.expires_at

        assert refused(order.number, at=end) == "token_expired"

    def test_a_token_that_is_used_up(self, refused, ask, order, module):
        verify(ask(order.number, uses=1).jwt, module=module, at=LATER)

        assert refused(order.number, uses=1) == "token_used_up"

    def test_and_leaves_nothing_behind(self, refused, ask, order):
        ask(order.number, uses=7)
        before = list(AccessToken.objects.values())

        refused(order.number, uses=8)

        assert list(AccessToken.objects.values()) == before


@pytest.mark.django_db(transaction=True)
class TestGenerateAtOnce:
    def test_makes_one_token_of_an_order(self, ask, order):
        names = spellings(order)

        results = at_once(*[lambda name=name: ask(name) for name in names * 4])

        assert Counter(result.is_new for result in results) == {True: 1, False: 27}
        assert AccessToken.objects.count() == ModuleAccess.objects.filter(access_type="token").count() == 1

    def test_makes_one_token_of_a_grant(self, ask, learner, module):
        grant = make_grant(learner, module)

        results = at_once(*[lambda: ask(grant.number)] * 20)

        assert Counter(result.is_new for result in results) == {True: 1, False: 19}

    def test_makes_none_that_outlives_a_refund(self, ask, order):
        results = at_once(lambda: give_back(order), *[lambda: ask(order.number)] * 8)

        codes = {getattr(result, "code", "made") for result in results[1:]}
        assert codes <= {"made", "payment_not_paid"}
        assert not ModuleAccess.objects.filter(is_active=True).exists()
