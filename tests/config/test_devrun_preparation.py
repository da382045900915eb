import pytest
from django.core.management.base import CommandError

from config.devrun import preparation
from config.devrun.preparation import emulator_steps, run_command, timed


class TestRunCommand:
    def test_returns_what_the_command_said_and_shows_nothing(self, capsys):
        said = run_command(("diffsettings",))

        assert "ROOT_URLCONF = 'config.urls'" in said
        assert capsys.readouterr() == ("", "")

    def test_shows_what_it_said_when_it_fails(self, capsys, monkeypatch):
        def fail(*command, stdout):
            stdout.write("Applying 0002_later...")
            raise CommandError("no such table")

        monkeypatch.setattr(preparation, "call_command", fail)

        with pytest.raises(CommandError):
            run_command(("migrate",))

        assert "Applying 0002_later..." in capsys.readouterr().err


class TestTimed:
    def test_names_the_step_before_it_begins_and_tells_how_long_it_took(self, capsys):
        timed("database", lambda: preparation.progress("<here>"))

        began, ended = capsys.readouterr().err.split("<here>")
        assert began == "  database …"
        assert ended.endswith(" s\n")


class TestEmulatorSteps:
    def test_lead_deliveries_to_the_site_with_its_own_secret(self, settings):
        settings.SITE_URL = "http://127.0.0.1:8010"

        (command,) = emulator_steps().values()

        assert command[:4] == ("stripe_emulator", "endpoint", "--url", "http://127.0.0.1:8010/stripe/webhooks")
        assert command[-1] == settings.STRIPE_WEBHOOK_SECRETS[0]

    def test_are_none_without_the_emulator(self, settings):
        settings.STRIPE_EMULATOR = False

        assert emulator_steps() == {}
