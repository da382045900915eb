from datetime import timedelta

import pytest

from modules_access.models import ModuleAccess
from modules_access.services.grants import NotGranted, extend_access, grant_access, revoke_access
from payments.apply.apply import follow_orders_again
from tests.support.factories import NOON
from tests.support.modules import make_buyer, make_grant, make_module, make_token

pytestmark = pytest.mark.django_db
LATER, SOON = NOON + timedelta(hours=1), NOON + timedelta(days=7)
WORD = {"reason": "lost her place", "by": "sam@example.com", "at": LATER}


class TestGrantAccess:
    def test_lets_somebody_in_without_a_payment_and_keeps_the_reason(self, learner):
        access = grant_access(user=learner, module=make_module(), expires_at=SOON, **WORD)

        assert access.is_open(at=LATER)
        assert not access.is_open(at=SOON)
        assert access.metadata["acts"] == [
            {"what": "granted", "reason": "lost her place", "by": "sam@example.com", "at": LATER.isoformat()}
        ]

    @pytest.mark.parametrize(("reason", "days"), [(" ", 7), ("a prize", -1)], ids=["no reason", "over already"])
    def test_refuses(self, learner, reason, days):
        with pytest.raises(NotGranted):
            grant_access(
                user=learner, module=make_module(), expires_at=LATER + timedelta(days=days), reason=reason, by="x",
                at=LATER,
            )  # fmt: skip

        assert not ModuleAccess.objects.exists()


class TestExtendAccess:
    def test_outlives_what_was_bought_and_stays(self, learner):
        purchase = make_buyer(learner, make_module(access_days=1))

        extend_access(access=ModuleAccess.objects.get(), until=SOON, **WORD)
        follow_orders_again([purchase.order_id], source="again", at=LATER)

        assert ModuleAccess.objects.get().expires_at == SOON

    @pytest.mark.parametrize("days", [-1, 1])
    def test_refuses_a_date_that_adds_nothing(self, learner, days):
        access = make_grant(learner, make_module(), expires_at=NOON + timedelta(days=2))

        with pytest.raises(NotGranted):
            extend_access(access=access, until=NOON + timedelta(days=days), **WORD)

    def test_refuses_what_never_ends_has_ended_or_hangs_on_a_token(self, learner):
        module = make_module()
        endless, ended = make_grant(learner, module), make_grant(learner, module, expires_at=SOON)
        revoke_access(access=ended, **WORD)

        for access in (endless, ended, make_token(learner, module).access):
            with pytest.raises(NotGranted):
                extend_access(access=access, until=SOON + timedelta(days=1), **WORD)


class TestRevokeAccess:
    def test_ends_it_for_good_and_nothing_else(self, learner):
        module = make_module()
        kept = make_grant(learner, module)
        purchase = make_buyer(learner, module)
        bought = ModuleAccess.objects.get(order=purchase.order)

        revoke_access(access=bought, **WORD)
        follow_orders_again([purchase.order_id], source="again", at=LATER)

        bought.refresh_from_db()
        kept.refresh_from_db()
        assert (bought.is_active, bought.ended_reason, bought.ended_at) == (False, "revoked", LATER)
        assert kept.is_open(at=LATER)

    def test_ends_the_token_that_rests_on_it(self, learner):
        module = make_module()
        grant = make_grant(learner, module)
        token = make_token(learner, module, grant=grant)

        revoke_access(access=grant, **WORD)

        token.access.refresh_from_db()
        assert (token.access.is_active, token.access.ended_reason) == (False, "token_revoked")

    def test_ends_the_token_that_rests_on_the_same_order(self, learner):
        module = make_module()
        order = make_buyer(learner, module).order
        token = make_token(learner, module, order=order)

        revoke_access(access=ModuleAccess.objects.get(order=order), **WORD)

        token.refresh_from_db()
        assert (token.revoked_by, token.access.is_active) == ("sam@example.com", False)

    def test_refuses_a_second_time(self, learner):
        access = make_grant(learner, make_module())
        revoke_access(access=access, **WORD)

        with pytest.raises(NotGranted):
            revoke_access(access=access, **WORD)
