from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from config.devrun.preparation import STEPS
from modules_access.demo import MODULES, count_demo, make, seed
from modules_access.models import Module, ModuleAccess
from modules_access.repair import repair
from payments.effects.deliver import deliver_all
from tests.support.factories import NOON
from tests.support.members import make_member

pytestmark = pytest.mark.django_db


class TestSeed:
    def test_makes_one_for_money_one_free_and_one_for_thirty_days(self, settings):
        settings.SITE_URL = "http://127.0.0.1:8010"

        seed(at=NOON)

        found = {module.slug: (module.price, module.access_days) for module in Module.objects.on_sale()}
        assert found == {"drawing": (4900, None), "first-steps": (0, None), "glazes": (2900, 30)}
        assert Module.objects.get(slug="drawing").url == "http://127.0.0.1:8010/demo/module/drawing/"

    def test_makes_nothing_twice_and_leaves_what_was_edited(self):
        seed(at=NOON)
        Module.objects.filter(slug="drawing").update(title="Edited", price=1, url="https://elsewhere.example/")

        assert seed(at=NOON) == []

        module = Module.objects.get(slug="drawing")
        assert (module.title, module.price, module.url) == ("Edited", 1, "https://elsewhere.example/")

    def test_moves_the_rooms_with_the_site(self, settings):
        seed(at=NOON)
        settings.SITE_URL = "http://127.0.0.1:8099"

        seed(at=NOON)

        urls = Module.objects.values_list("url", flat=True)
        assert all(url.startswith("http://127.0.0.1:8099/demo/module/") for url in urls)

    def test_opens_them_for_who_has_subscribed(self):
        make_member()

        seed(at=NOON)
        deliver_all(clock=timezone.now)

        assert ModuleAccess.objects.filter(access_type="subscription", is_active=True).count() == len(MODULES)

    def test_is_a_step_of_every_start(self):
        assert STEPS["demo modules"][-1] == "seed_modules"


class TestSeedModules:
    def test_tells_what_is_new(self, capsys):
        call_command("seed_modules")
        first = capsys.readouterr().out
        call_command("seed_modules")

        assert "glazes  €29.00  http" in first
        assert capsys.readouterr().out == "The demo modules are there already.\n"


class TestMake:
    def test_gives_buyers_the_accesses_that_they_have_paid_for(self):
        now = timezone.now()

        assert sum(orders for orders, _rows in make(count=60, since=now - timedelta(days=100), at=now)) == 60

        report = repair(at=now, dry_run=True, by="a test")
        assert (report.compared["purchases"], report.total) == (60, 0)
        assert count_demo() == 60
        assert User.objects.filter(email_confirmed_at__isnull=False).count() == 20
        assert ModuleAccess.objects.open(now).exists()
