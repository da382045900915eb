import pytest

from modules_access.jwt import mint_pass, mint_token
from modules_access.models import ModuleAccess
from tests.faults.test_races import at_once
from tests.modules_access.api.conftest import REVOKE, code_of, fields_of
from tests.support.factories import NOON
from tests.support.modules import make_token

pytestmark = pytest.mark.django_db
NOBODY = "0b6f1f9c-6f0e-4c0e-9a53-0d8d3a1b2c4d"


@pytest.fixture
def token(learner, module):
    return make_token(learner, module)


class TestRevoke:
    def test_ends_the_token(self, program, token):
        response = program.revoke(tokenId=str(token.jti), reason="lost")

        assert response.status_code == 200
        assert response.json() == {
            "tokenId": str(token.jti), "moduleId": "drawing", "revokedAt": "2026-03-02T13:00:00+01:00",
            "reason": "lost",
        }  # fmt: skip
        token.refresh_from_db()
        assert token.revoked_by == str(program.key)
        assert not ModuleAccess.objects.get().is_active
        assert code_of(program.verify(mint_token(token, at=NOON), moduleId="drawing")) == (403, "token_revoked")

    def test_takes_the_jwt_too(self, program, token):
        assert program.revoke(token=mint_token(token, at=NOON)).json()["tokenId"] == str(token.jti)

    def test_keeps_the_first_reason(self, program, token):
        program.revoke(tokenId=str(token.jti), reason="lost")

        again = program.revoke(tokenId=str(token.jti), reason="found again")

        assert (again.status_code, again.json()["reason"]) == (200, "lost")

    def test_can_be_reached_with_a_slash(self, program, token):
        assert program.post(f"{REVOKE}/", tokenId=str(token.jti), reason="lost").status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_is_done_once_by_many_at_once(self, program, token):
        answers = at_once(
            *[lambda number=number: program.revoke(tokenId=str(token.jti), reason=f"{number}") for number in range(8)]
        )

        assert {response.status_code for response in answers} == {200}
        assert len({response.json()["reason"] for response in answers}) == 1


class TestRevokeRefuses:
    def test_what_is_not_there(self, program):
        assert code_of(program.revoke(tokenId=NOBODY)) == (404, "token_unknown")

    def test_a_jwt_that_is_not_accepted(self, program, token):
        assert code_of(program.revoke(token=mint_token(token, at=NOON)[:-4] + "AAAA")) == (403, "token_forged")

    def test_a_pass(self, program, token):
        assert code_of(program.revoke(token=mint_pass(ModuleAccess.objects.get(), at=NOON))) == (409, "not_revocable")

    def test_both_or_neither(self, program, token):
        assert fields_of(program.revoke()) == {"non_field_errors"}
        assert fields_of(program.revoke(tokenId=str(token.jti), token="x")) == {"non_field_errors"}

    @pytest.mark.parametrize(
        ("name", "value"),
        [("reason", ""), ("reason", "  "), ("reason", "x" * 501), ("reason", None), ("tokenId", "x")],
    )
    def test_what_is_wrong(self, program, token, name, value):
        assert fields_of(program.revoke(**{"tokenId": str(token.jti), name: value})) == {name}
        token.refresh_from_db()
        assert token.revoked_at is None
