import os

import pytest

import config.env
from config.env import EMULATED, load_dev_file, write_dev_file


@pytest.fixture
def environment(tmp_path, monkeypatch) -> dict[str, str]:
    """An empty one, and no `var/dev.env` yet."""
    environment: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(config.env, "DEV_FILE", tmp_path / "dev.env")
    return environment


class TestLoadDevFile:
    def test_fills_the_gaps_of_a_development_environment(self, environment):
        environment["SECRET_KEY"] = "mine"
        write_dev_file({"SECRET_KEY": "theirs", "DATABASE_URL": "postgres://one?host=/tmp/a=b"})

        load_dev_file()

        assert environment["SECRET_KEY"] == "mine"
        assert environment["DATABASE_URL"] == "postgres://one?host=/tmp/a=b"

    @pytest.mark.parametrize("name", ["STRIPE_SECRET_KEY", "STRIPE_SECRET_KEY_FILE"])
    def test_does_not_lead_a_key_of_the_user_to_the_emulator(self, environment, name):
        write_dev_file(dict.fromkeys(EMULATED, "sk_test_emulator_") | {"SECRET_KEY": "remembered"})
        environment[name] = "mine"

        load_dev_file()

        assert set(EMULATED) & set(environment) == {"STRIPE_SECRET_KEY"} & {name}
        assert (environment[name], environment["SECRET_KEY"]) == ("mine", "remembered")

    @pytest.mark.parametrize("kind", ["test", "production"])
    def test_leaves_every_other_environment_alone(self, environment, kind):
        environment["ENVIRONMENT"] = kind
        write_dev_file({"DATABASE_URL": "postgres://one"})

        load_dev_file()

        assert "DATABASE_URL" not in environment
