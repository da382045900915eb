import os
import socket

import pytest

from config import devenv
from config.devrun import CannotRun
from config.devrun.environment import Address, settle
from tests.config.processes import free_port

HERE = Address("127.0.0.1", 8000)


@pytest.fixture
def environment(tmp_path, monkeypatch) -> dict[str, str]:
    """An empty one, and no `var/dev.env` yet."""
    environment: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(devenv, "VAR", tmp_path)
    monkeypatch.setattr(devenv, "FILE", tmp_path / "dev.env")
    return environment


class TestAddress:
    def test_is_local_unless_the_user_says_otherwise(self, environment):
        local = Address.chosen()
        environment.update(HOST="0.0.0.0", PORT="8123")

        assert local.url == "http://127.0.0.1:8000"
        assert Address.chosen().bind == "0.0.0.0:8123"
        assert Address.chosen().url == "http://127.0.0.1:8123"

    @pytest.mark.parametrize("port", ["32768", "0", "eight", "-1"])
    def test_refuses_ports_that_an_outgoing_connection_may_take(self, environment, port):
        environment["PORT"] = port

        with pytest.raises(CannotRun, match="must be a number from 1 to 32767"):
            Address.chosen()

    def test_says_that_a_port_is_taken_and_offers_another(self):
        with socket.create_server(("127.0.0.1", free_port())) as taken:
            port = taken.getsockname()[1]

            with pytest.raises(CannotRun, match=rf":{port} \(Address already in use\).* make run PORT={port + 2}"):
                Address("127.0.0.1", port).require_free()


class TestSettle:
    def test_makes_up_secrets_once_and_keeps_them_from_others(self, environment):
        settle(HERE, database_url="postgres://one", stripe={})
        first = devenv.read()
        environment.clear()
        settle(HERE, database_url="postgres://two", stripe={})

        assert first["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
        assert devenv.read() == first | {"DATABASE_URL": "postgres://two"}
        assert devenv.FILE.stat().st_mode & 0o777 == 0o600

    def test_lets_the_user_decide(self, environment):
        environment.update(SECRET_KEY="mine", SITE_URL="https://shop.example")
        devenv.write({"STRIPE_ACCOUNT": "acct_noted_by_hand"})

        settle(HERE, database_url="postgres://one", stripe={})

        assert environment["SECRET_KEY"] == devenv.read()["SECRET_KEY"] == "mine"
        assert environment["SITE_URL"] == "https://shop.example"
        assert environment["STRIPE_ACCOUNT"] == "acct_noted_by_hand"


class TestLoad:
    def test_fills_the_gaps_of_a_development_environment(self, environment):
        environment["SECRET_KEY"] = "mine"
        devenv.write({"SECRET_KEY": "theirs", "DATABASE_URL": "postgres://one?host=/tmp/a=b"})

        devenv.load()

        assert environment["SECRET_KEY"] == "mine"
        assert environment["DATABASE_URL"] == "postgres://one?host=/tmp/a=b"

    @pytest.mark.parametrize("name", ["STRIPE_SECRET_KEY", "STRIPE_SECRET_KEY_FILE"])
    def test_does_not_lead_a_key_of_the_user_to_the_emulator(self, environment, name):
        devenv.write(dict.fromkeys(devenv.EMULATED, "sk_test_emulator_") | {"SECRET_KEY": "remembered"})
        environment[name] = "mine"

        devenv.load()

        assert set(devenv.EMULATED) & set(environment) == {"STRIPE_SECRET_KEY"} & {name}
        assert (environment[name], environment["SECRET_KEY"]) == ("mine", "remembered")

    @pytest.mark.parametrize("kind", ["test", "production"])
    def test_leaves_every_other_environment_alone(self, environment, kind):
        environment["ENVIRONMENT"] = kind
        devenv.write({"DATABASE_URL": "postgres://one"})

        devenv.load()

        assert "DATABASE_URL" not in environment
