from dataclasses import replace
from datetime import timedelta

import pytest

from config.logs import MASK, QUIET_LOGGERS, formatter, redact_text
from modules_access.models import Scope
from modules_access.services.keys import revoke_key, rotate_key
from tests.modules_access.api.conftest import GENERATE, REVOKE, VERIFY, Program, code_of
from tests.support.factories import NOON
from tests.support.modules import make_module

pytestmark = pytest.mark.django_db
PLACES = [(GENERATE, Scope.GENERATE), (VERIFY, Scope.VERIFY), (REVOKE, Scope.REVOKE)]


class TestServiceKeyAuthentication:
    @pytest.mark.parametrize(("address", "_scope"), PLACES)
    def test_asks_for_a_key(self, address, _scope):
        response = Program(None, "").post(address)

        assert code_of(response) == (401, "key_missing")
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic bWs6bWs=", "mk_12345678_x", "Token abc"])
    def test_knows_one_way_to_send_it(self, program, header):
        response = program.client.post(VERIFY, {}, headers={"Authorization": header})

        assert code_of(response) == (401, "key_missing")

    def test_takes_the_word_in_any_case(self, program):
        response = program.client.post(
            VERIFY, {}, content_type="application/json", headers={"Authorization": f"bearer  {program.raw} "}
        )

        assert response.status_code == 400

    @pytest.mark.parametrize("change", [lambda raw: raw[:-1] + "!", lambda raw: raw + "x", lambda raw: raw[:11]])
    def test_refuses_a_wrong_key(self, program, change):
        response = Program(None, change(program.raw)).post(VERIFY)

        assert code_of(response) == (401, "key_invalid")
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'

    def test_refuses_a_revoked_key(self, program):
        revoke_key(key=program.key, reason="left", by=None, at=NOON)

        assert code_of(program.post(VERIFY)) == (401, "key_invalid")

    def test_takes_the_old_key_for_a_day(self, program, time_machine):
        _key, raw = rotate_key(key=program.key, by=None, at=NOON)

        assert [each.post(VERIFY).status_code for each in (program, Program(None, raw))] == [400, 400]
        time_machine.move_to(NOON + timedelta(hours=24), tick=False)
        assert [each.post(VERIFY).status_code for each in (program, Program(None, raw))] == [401, 400]

    def test_is_in_the_language_of_the_request(self):
        response = Program(None, "").client.post(VERIFY, {}, headers={"Accept-Language": "en"})

        assert response.json()["error"]["message"].startswith("A service key is needed")

    def test_slows_down_who_sends_wrong_keys_and_nobody_else(self, program):
        stranger = Program(None, program.raw[:-1] + "!")

        answers = [stranger.post(VERIFY) for _ in range(6)]

        assert [response.status_code for response in answers] == [401] * 5 + [429]
        assert answers[-1]["Retry-After"] == "900"
        assert program.post(VERIFY).status_code == 400


class TestHasScope:
    @pytest.mark.parametrize(("address", "scope"), PLACES)
    def test_lets_in_only_who_may(self, make_program, address, scope):
        others = [other for other in Scope.values if other != scope]

        assert make_program(scope).post(address).status_code == 400
        assert code_of(make_program(*others).post(address)) == (403, "key_scope")


class TestKeyThrottle:
    @pytest.fixture(autouse=True)
    def _two_a_minute(self, settings):
        settings.MODULES = replace(settings.MODULES, api_rate_max=2, api_rate_window=60)

    def test_counts_each_key_alone(self, make_program):
        busy, calm = make_program(), make_program()

        answers = [busy.post(VERIFY) for _ in range(3)]

        assert [response.status_code for response in answers] == [400, 400, 429]
        assert answers[-1]["Retry-After"] == "60"
        assert answers[-1].json()["error"]["code"] == "throttled"
        assert calm.post(VERIFY).status_code == 400

    def test_opens_again(self, program, time_machine):
        for _ in range(3):
            program.post(VERIFY)

        time_machine.move_to(NOON + timedelta(seconds=60), tick=False)

        assert program.post(VERIFY).status_code == 400


class TestRequireModule:
    def test_keeps_a_key_to_its_module(self, make_program, order, module):
        singing = make_module("singing")
        foreign = make_program(module=singing)

        made = make_program(module=module).generate(order)
        token = made.json()

        assert made.status_code == 201
        assert code_of(foreign.generate(order)) == (403, "key_module")
        assert code_of(foreign.verify(token["token"], moduleId="drawing")) == (403, "key_module")
        assert code_of(foreign.revoke(tokenId=token["tokenId"])) == (403, "key_module")
        assert code_of(foreign.revoke(token=token["token"])) == (403, "key_module")


class TestNothingIsTold:
    """Neither a token nor a key reaches a log line, whatever is answered."""

    @pytest.fixture(autouse=True)
    def _every_line(self, caplog):
        for name in (None, *QUIET_LOGGERS):
            caplog.set_level("DEBUG", logger=name)

    def test_to_the_log(self, program, order, caplog, capfd):
        token = program.generate(order).json()["token"]
        program.verify(token, moduleId="drawing")
        program.verify(token[:-3] + "abc", moduleId="drawing")
        program.verify(token, moduleId="nowhere")
        program.post(VERIFY, token=token, wrong=token)
        program.client.post(f"{VERIFY}?token={token}", {"token": token}, content_type="application/json")
        program.client.post(VERIFY, token, content_type="application/json")
        program.client.post(VERIFY, token, content_type="text/plain")
        Program(None, program.raw[:-1] + "!").verify(token)
        program.revoke(token=token)
        program.verify(token, moduleId="drawing")

        told = caplog.text + "".join(map(repr, capfd.readouterr()))
        assert "token.refused" in told
        for secret in (token.split(".")[1], token.split(".")[2], program.raw[12:]):
            assert secret not in told

    def test_to_the_log_even_by_who_writes_it_into_an_address(self, program, order, caplog):
        token = program.generate(order).json()["token"]
        program.client.get(f"{VERIFY}/{token}")
        program.client.get(f"{VERIFY}/{program.raw}?token={token}")

        as_json = formatter(log_format="json")
        told = "".join(as_json.format(record) for record in caplog.records)
        assert "django.request" in told
        for secret in (*token.split("."), program.raw[12:]):
            assert secret[4:] not in told

    def test_when_something_breaks(self, program, order, caplog, capfd, monkeypatch):
        token = program.generate(order).json()["token"]
        monkeypatch.setattr("modules_access.services.verify.USE_TOKEN", "SELECT nothing")
        program.client.raise_request_exception = False

        response = program.verify(token, moduleId="drawing")

        told = caplog.text + "".join(map(repr, capfd.readouterr())) + response.content.decode()
        assert response.status_code == 500
        assert token.split(".")[2] not in told
        assert program.raw[12:] not in told

    def test_is_masked_if_it_ever_did(self, program, order):
        token = program.generate(order).json()["token"]

        assert redact_text(f"key={program.raw}, token={token}") == f"key={program.key.prefix}_{MASK}, token={MASK}"
