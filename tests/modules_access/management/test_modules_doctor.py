import io
import json

import pytest
from django.core.management import CommandError, call_command

from modules_access.models import ModuleAccess
from tests.support.modules import make_buyer, make_learner, make_module

pytestmark = pytest.mark.django_db


@pytest.fixture
def purchase():
    return make_buyer(make_learner(), make_module())


def run(*options):
    """What was said, and whether the exit code is 0."""
    out = io.StringIO()
    try:
        call_command("modules_doctor", *options, stdout=out)
    except CommandError:
        return out.getvalue(), False
    return out.getvalue(), True


class TestModulesDoctor:
    def test_says_that_somebody_is_let_in(self, purchase):
        said, is_fine = run("--user", "ada@example.com", "--module", "drawing")

        assert is_fine
        assert said.startswith("ada@example.com, drawing: grants access.")
        assert "BROKEN" not in said

    def test_names_the_first_broken_link_and_its_repair(self, purchase):
        ModuleAccess.objects.all().delete()

        said, is_fine = run("--order", purchase.order.number)

        assert not is_fine
        assert "First broken link: access." in said
        assert "`manage.py modules_repair`" in said

    def test_tells_programs(self, purchase):
        ModuleAccess.objects.all().delete()

        said, is_fine = run("--order", f"pi_{purchase.order_id}", "--json")

        told = json.loads(said)
        assert (told["lets_in"], is_fine) == (False, False)
        [module] = told["modules"]
        assert module["first_broken"]["name"] == "access"
        assert [link["name"] for link in module["chains"][0]["links"]] == [
            "account", "payment", "event", "order", "access", "token", "encours",
        ]  # fmt: skip

    def test_looks_at_all_modules_of_a_person(self, purchase):
        make_buyer(purchase.user, make_module("singing"))

        said, is_fine = run("--user", str(purchase.user_id))

        assert is_fine
        assert said.count("grants access.") == 2

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ([], "Name a person or an order."),
            (["--module", "drawing"], "Name a person or an order."),
            (["--user", "nobody"], "neither an e-mail address nor an id"),
            (["--user", "ada@example.com", "--module", "nothing"], "No module is called"),
            (["--order", "O-999999"], "No order is called"),
        ],
    )
    def test_refuses_what_is_not_known_in_a_sentence(self, purchase, options, sentence):
        with pytest.raises(CommandError, match=sentence):
            call_command("modules_doctor", *options)

    def test_speaks_english_wherever_it_runs(self, purchase, settings):
        settings.LANGUAGE_CODE = "fr"

        assert "has an account and a confirmed address" in run("--user", "ada@example.com")[0]
