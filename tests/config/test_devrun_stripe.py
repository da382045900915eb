import pytest

from config import devenv
from config.devrun import CannotRun
from config.devrun.environment import Address, settle
from config.devrun.stripe import emulator_beside, stripe_environment

SITE = Address("127.0.0.1", 8000)


@pytest.fixture(autouse=True)
def clean_environment(tmp_path, monkeypatch):
    """No key of anybody, and no `var/dev.env` yet."""
    for name in (*devenv.EMULATED, "STRIPE_SECRET_KEY_FILE", "STRIPE_EMULATOR_PORT", "STRIPE_WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(devenv, "VAR", tmp_path)
    monkeypatch.setattr(devenv, "FILE", tmp_path / "dev.env")


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
        devenv.write({"STRIPE_SECRET_KEY": "sk_test_51Abc"})

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


class TestStripeEnvironment:
    def test_leads_everything_to_the_emulator(self):
        values = stripe_environment(Address("0.0.0.0", 8001))

        assert set(values) == set(devenv.EMULATED)
        assert values["STRIPE_API_BASE"] == values["STRIPE_EMULATOR_URL"] == "http://127.0.0.1:8001"

    def test_makes_up_a_key_once(self):
        devenv.write(stripe_environment(SITE))

        assert stripe_environment(SITE) == devenv.read()

    def test_is_empty_without_emulator(self):
        assert stripe_environment(None) == {}


class TestSettle:
    @pytest.fixture
    def environment(self, monkeypatch):
        environment: dict[str, str] = {}
        monkeypatch.setattr("os.environ", environment)
        return environment

    def test_forgets_the_emulator_when_the_user_brings_a_key(self, environment):
        settle(SITE, database_url="postgres://one", stripe=stripe_environment(SITE))
        environment.clear()
        environment["STRIPE_SECRET_KEY"] = "sk_test_51Abc"

        settle(SITE, database_url="postgres://one", stripe={})

        assert not set(devenv.EMULATED) & set(devenv.read())
        assert set(devenv.EMULATED) & set(environment) == {"STRIPE_SECRET_KEY"}

    def test_keeps_a_key_that_was_noted_by_hand(self, environment):
        devenv.write(stripe_environment(SITE) | {"STRIPE_SECRET_KEY": "sk_test_51Abc"})

        settle(SITE, database_url="postgres://one", stripe={})

        assert set(devenv.EMULATED) & set(devenv.read()) == {"STRIPE_SECRET_KEY"}
        assert environment["STRIPE_SECRET_KEY"] == "sk_test_51Abc"

    def test_lets_nothing_lead_away_from_the_emulator(self, environment):
        environment["STRIPE_API_BASE"] = "http://elsewhere.example"

        settle(SITE, database_url="postgres://one", stripe=stripe_environment(Address("127.0.0.1", 8001)))

        assert environment["STRIPE_API_BASE"] == "http://127.0.0.1:8001"
