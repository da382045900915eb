from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from modules_access.models import AccessToken, ModuleAccess
from modules_access.services.tokens import TokenNotMade, TokenNotRevoked, create_token, revoke_token
from tests.support.factories import NOON
from tests.support.modules import make_buyer, make_learner, make_module, make_token

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def learner():
    return make_learner()


@pytest.fixture
def module():
    return make_module()


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
