import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command

from modules_access.management.commands import modules_repair
from modules_access.models import ModuleAccess
from modules_access.repair import AlreadyRepairing
from tests.support.modules import give_back, make_buyer, make_learner, make_module

pytestmark = pytest.mark.django_db


@pytest.fixture
def purchase():
    return make_buyer(make_learner(), make_module())


def run(*options):
    out = io.StringIO()
    call_command("modules_repair", *options, stdout=out)
    return out.getvalue()


class TestModulesRepair:
    def test_says_that_all_is_well(self, purchase):
        assert "Every access says what its source says." in run()

    def test_puts_right_and_says_what(self, purchase):
        ModuleAccess.objects.all().delete()

        said = run()

        assert "no access by purchase" in said
        assert "is_active: – → yes" in said
        assert "1 access was put right: 1 given that were missing (1 by purchase)." in said
        assert ModuleAccess.objects.get().is_active

    def test_only_shows_in_a_dry_run(self, purchase):
        ModuleAccess.objects.all().delete()

        said = run("--dry-run")

        assert "1 access would be put right" in said
        assert "Dry run: nothing was changed." in said
        assert not ModuleAccess.objects.exists()

    def test_tells_which_mails_go_out(self, purchase):
        give_back(purchase.order)
        purchase.order.effects.filter(kind="module.refunded").delete()
        ModuleAccess.objects.update(is_active=True, ended_at=None, ended_reason="")

        assert "Mails that would go out: 1 module.refunded." in run("--dry-run")

    def test_tells_programs(self, purchase):
        ModuleAccess.objects.all().delete()

        told = json.loads(run("--json"))

        assert (told["differed"], told["finished"], told["by_source"]) == (1, True, {"purchase": {"created": 1}})
        assert told["differences"][0]["source"] == purchase.order.number

    def test_speaks_english_wherever_it_runs(self, purchase, settings):
        settings.LANGUAGE_CODE = "fr"

        assert "Every access says" in run()

    def test_shows_no_bar_where_nobody_watches(self, purchase, capfd):
        run()

        assert capfd.readouterr().err == ""

    def test_shows_a_bar_on_a_terminal(self, purchase, monkeypatch):
        terminal = io.StringIO()
        monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys, "stderr", terminal)

        run()

        assert "1/1" in terminal.getvalue()

    def test_refuses_beside_another_one(self, purchase, monkeypatch):
        def busy(**_options):
            raise AlreadyRepairing("Another repair is under way.")

        monkeypatch.setattr(modules_repair, "repair", busy)

        with pytest.raises(CommandError, match="Another repair is under way"):
            run()

    def test_says_what_an_interrupted_repair_has_done(self, purchase, monkeypatch):
        ModuleAccess.objects.all().delete()
        whole = modules_repair.repair

        def interrupted(*, report, **options):
            whole(report=report, **options)
            report.is_complete = False
            raise KeyboardInterrupt

        monkeypatch.setattr(modules_repair, "repair", interrupted)

        with pytest.raises(CommandError, match="Interrupted: what was put right stays so"):
            run()
        assert ModuleAccess.objects.get().is_active
