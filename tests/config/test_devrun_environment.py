import os
import socket

import pytest

import config.env
from config.devrun.environment import Address, CannotRun, emulator_beside, settle, stripe_environment
from config.env import EMULATED, read_dev_file, write_dev_file
from tests.support.processes import free_port

SITE = Address("127.0.0.1", 8000)


@pytest.fixture
def no_key(tmp_path, monkeypatch):
    """No key of anybody, and no `var/dev.env` yet."""
    for name in (*EMULATED, "STRIPE_SECRET_KEY_FILE", "STRIPE_EMULATOR_PORT", "STRIPE_WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config.env, "DEV_FILE", tmp_path / "dev.env")


@pytest.fixture
def environment(no_key, monkeypatch) -> dict[str, str]:
    """An empty one."""
    environment: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", environment)
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
        settle(SITE, database_url="postgres://one", stripe={})
        first = read_dev_file()
        environment.clear()
        settle(SITE, database_url="postgres://two", stripe={})

        assert first["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
        assert read_dev_file() == first | {"DATABASE_URL": "postgres://two"}
        assert config.env.DEV_FILE.stat().st_mode & 0o777 == 0o600

    def test_lets_the_user_decide(self, environment):
        environment.update(SECRET_KEY="mine", SITE_URL="https://shop.example")
        write_dev_file({"STRIPE_ACCOUNT": "acct_noted_by_hand"})

        settle(SITE, database_url="postgres://one", stripe={})

        assert environment["SECRET_KEY"] == read_dev_file()["SECRET_KEY"] == "mine"
        assert environment["SITE_URL"] == "https://shop.example"
        assert environment["STRIPE_ACCOUNT"] == "acct_noted_by_hand"

    def test_forgets_the_emulator_when_the_user_brings_a_key(self, environment):
        settle(SITE, database_url="postgres://one", stripe=stripe_environment(SITE))
        environment.clear()
        environment["STRIPE_SECRET_KEY"] = "sk_test_51Abc"

        settle(SITE, database_url="postgres://one", stripe={})

        assert not set(EMULATED) & set(read_dev_file())
        assert set(EMULATED) & set(environment) == {"STRIPE_SECRET_KEY"}

    def test_keeps_a_key_that_was_noted_by_hand(self, environment):
        write_dev_file(stripe_environment(SITE) | {"STRIPE_SECRET_KEY": "sk_test_51Abc"})

        settle(SITE, database_url="postgres://one", stripe={})

        assert set(EMULATED) & set(read_dev_file()) == {"STRIPE_SECRET_KEY"}
        assert environment["STRIPE_SECRET_KEY"] == "sk_test_51Abc"

    def test_lets_nothing_lead_away_from_the_emulator(self, environment):
        environment["STRIPE_API_BASE"] = "http://elsewhere.example"

        settle(SITE, database_url="postgres://one", stripe=stripe_environment(Address("127.0.0.1", 8001)))

        assert environment["STRIPE_API_BASE"] == "http://127.0.0.1:8001"


@pytest.mark.usefixtures("no_key")
class TestEmulatorBeside:
    def test_is_the_next_port_unless_the_user_says_otherwise(self, monkeypatch):
        usual = emulator_beside(SITE)
        monkeypatch.setenv("STRIPE_EMULATOR_PORT", "9000")

        assert (usual.url, emulator_beside(SITE).url) == ("http://127.0.0.1:8001", "http://127.0.0.1:9000")

    @pytest.mark.parametrize("key", ["sk_test_51Abc", "rk_test_51Abc"])
    def test_is_nowhere_with_a_key_of_the_user(self, monkeypatch, key):
        monkeypatch.setenv("STRIPE_SECRET_KEY", key)

        assert emulator_beside(SITE) is None

    def test_is_nowhere_with_a_key_noted_by_hand(self):
        write_dev_file({"STRIPE_SECRET_KEY": "sk_test_51Abc"})

        assert emulator_beside(SITE) is None

    def test_knows_its_own_key_again(self, monkeypatch):
        key = stripe_environment(SITE)["STRIPE_SECRET_KEY"]
        monkeypatch.setenv("STRIPE_SECRET_KEY", key)

        assert emulator_beside(SITE) is not None
        assert stripe_environment(SITE)["STRIPE_SECRET_KEY"] == key

    @pytest.mark.parametrize("key", ["sk_live_51Abc", "rk_live_51Abc", "sk_org_live_51Abc"])
    def test_refuses_live_keys_without_showing_them(self, monkeypatch, key):
        monkeypatch.setenv("STRIPE_SECRET_KEY", key)

        with pytest.raises(CannotRun, match="a key of live mode") as refusal:
            emulator_beside(SITE)

        assert "51Abc" not in str(refusal.value)

    @pytest.mark.parametrize(("port", "words"), [("8000", "a port of its own"), ("next", "must be a number")])
    def test_refuses_a_port_that_makes_no_sense(self, monkeypatch, port, words):
        monkeypatch.setenv("STRIPE_EMULATOR_PORT", port)

        with pytest.raises(CannotRun, match=words):
            emulator_beside(SITE)


@pytest.mark.usefixtures("no_key")
class TestStripeEnvironment:
    def test_leads_everything_to_the_emulator(self):
        values = stripe_environment(Address("0.0.0.0", 8001))

        assert set(values) == set(EMULATED)
        assert values["STRIPE_API_BASE"] == values["STRIPE_EMULATOR_URL"] == "http://127.0.0.1:8001"

    def test_makes_up_a_key_once(self):
        write_dev_file(stripe_environment(SITE))

        assert stripe_environment(SITE) == read_dev_file()

    def test_is_empty_without_emulator(self):
        assert stripe_environment(None) == {}
