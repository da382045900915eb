from collections import Counter
from datetime import timedelta

import pytest
from django.core.cache import cache

from modules_access.jwt import mint_pass, mint_token
from modules_access.models import AccessToken, ModuleAccess
from tests.faults.test_races import at_once
from tests.modules_access.api.conftest import VERIFY, code_of, fields_of
from tests.support.factories import NOON
from tests.support.forged import OTHER_SECRET, forge, unsigned
from tests.support.modules import make_module, make_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(learner, module):
    return make_token(learner, module, uses=10)


@pytest.fixture
def raw(token):
    return mint_token(token, at=NOON)


@pytest.fixture
def school(make_program, module):
    """The program of the module itself."""
    return make_program("tokens:verify", module=module)


class TestVerify:
    def test_tells_whom_to_let_in(self, school, raw, learner):
        response = school.verify(raw)

        assert response.status_code == 200
        assert response.json() == {
            "userId": learner.pk, "email": "ada@example.com", "name": "Ada", "language": "en", "moduleId": "drawing",
            "accessLevel": "standard", "expiresAt": "2026-03-05T13:00:00+01:00", "usesLeft": 9,
        }  # fmt: skip
        assert response["Cache-Control"].startswith("max-age=0")

    def test_tells_where_nothing_is_limited(self, school, order):
        told = school.verify(mint_pass(ModuleAccess.objects.get(), at=NOON)).json()

        assert (told["expiresAt"], told["usesLeft"]) == (None, None)

    def test_takes_the_module_from_the_request(self, program, raw, module):
        assert program.verify(raw, moduleId="drawing").status_code == 200
        assert program.verify(raw, moduleId=module.pk).status_code == 200

    def test_takes_the_module_of_the_key_said_again(self, school, raw):
        assert school.verify(raw, moduleId="drawing").status_code == 200

    def test_can_be_reached_with_a_slash(self, school, raw):
        assert school.post(f"{VERIFY}/", token=raw).status_code == 200

    def test_answers_in_the_language_of_the_request(self, school):
        response = school.client.post(
            VERIFY, {"token": "x"}, content_type="application/json", headers={"Accept-Language": "en"}
        )

        assert response.json()["error"]["message"] == "This is no token of ours: it cannot be read."


class TestVerifyRefuses:
    def test_a_request_that_names_no_module(self, program, raw):
        assert fields_of(program.verify(raw)) == {"moduleId"}

    def test_a_module_that_is_not_there(self, program, raw):
        assert code_of(program.verify(raw, moduleId="nowhere")) == (422, "unknown_module")

    def test_another_module_than_that_of_the_key(self, school, raw):
        make_module("singing")

        assert code_of(school.verify(raw, moduleId="singing")) == (403, "key_module")

    @pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": None}, {"token": []}, {"token": "a\0b"}])
    def test_a_request_without_a_token(self, school, body):
        assert fields_of(school.post(VERIFY, **body)) == {"token"}

    def test_each_token_with_its_own_code(self, school, program, raw, token, settings):
        make_module("singing")
        end = int((NOON - timedelta(days=1)).timestamp())
        begin = int((NOON + timedelta(days=1)).timestamp())
        secret = settings.MODULES.jwt_secrets[0]
        bad = {
            "token_malformed": "x" * 10_000,
            "token_unsigned": unsigned(raw),
            "token_algorithm": forge(raw, secret=secret, header={"alg": "RS256"}),
            "token_key": forge(raw, secret=secret, header={"kid": "00000000"}),
            "token_forged": forge(raw, secret=OTHER_SECRET),
            "token_expired": forge(raw, secret=secret, exp=end),
            "token_not_yet": forge(raw, secret=secret, nbf=begin),
            "token_issuer": forge(raw, secret=secret, iss="https://evil.example"),
            "token_audience": forge(raw, secret=secret, aud="module:singing"),
            "token_unknown": forge(raw, secret=secret, jti="0b6f1f9c-6f0e-4c0e-9a53-0d8d3a1b2c4d"),
        }

        answers = {code: code_of(school.verify(wrong)) for code, wrong in bad.items()}

        assert answers == {code: (403, code) for code in bad}
        assert code_of(program.verify(raw, moduleId="singing")) == (403, "token_audience")
        token.refresh_from_db()
        assert token.used == 0

    def test_what_is_not_valid_here_any_more(self, school, raw, learner):
        AccessToken.objects.update(used=10)
        assert code_of(school.verify(raw)) == (403, "token_used_up")

        ModuleAccess.objects.update(is_active=False, ended_at=NOON, ended_reason="refunded")
        response = school.verify(raw)
        assert code_of(response) == (403, "access_ended")
        assert response.json()["error"]["message"] == "The access has ended. The money has gone back."

        AccessToken.objects.update(revoked_at=NOON)
        assert code_of(school.verify(raw)) == (403, "token_revoked")

        learner.is_active = False
        learner.save()
        assert code_of(school.verify(raw)) == (403, "user_inactive")


@pytest.fixture
def _fresh_counters(transactional_db):
    """The end of a test with real transactions empties the tables of models only."""
    cache.clear()
    yield
    cache.clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_fresh_counters")
class TestVerifyAtOnce:
    def test_lets_exactly_ten_of_sixty_four_in(self, school, raw, token):
        answers = at_once(*[lambda: school.verify(raw)] * 64)

        told = Counter(
            response.status_code if response.status_code == 200 else code_of(response) for response in answers
        )
        assert told == {200: 10, (403, "token_used_up"): 54}
        token.refresh_from_db()
        assert token.used == token.max_usage == 10
