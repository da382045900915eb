import io
import stat

import pytest
from django.core.management import CommandError, call_command

from tests.support.fake_gateway import unavailable
from tests.support.set_up import account_for, our_endpoint

SITE = "https://shop.example"


class Terminal(io.StringIO):
    """Somebody looks."""

    def isatty(self):
        return True


@pytest.fixture
def stripe(settings, monkeypatch):
    settings.SITE_URL = SITE
    return account_for(monkeypatch)


def run(*options, out=None):
    out = out or io.StringIO()
    call_command("stripe_webhooks", *options, stdout=out)
    return out.getvalue()


class TestStripeWebhooks:
    def test_plan_shows_the_events_with_their_ranks_and_changes_nothing(self, stripe):
        said = run("plan")

        assert said.startswith(f"  create an endpoint at {SITE}/stripe/webhooks\n")
        assert "    + checkout.session.completed (critical)\n" in said
        assert "    + payment_intent.succeeded (optional)\n" in said
        assert stripe.endpoints == []

    def test_apply_writes_the_secret_to_a_file_that_nobody_else_reads(self, stripe, tmp_path):
        path = tmp_path / "stripe_webhook_secret"

        said = run("apply", "--yes", "--secret-file", str(path))

        assert path.read_text() == "whsec_101\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "whsec_" not in said
        assert "Done: create an endpoint" in said
        assert run("apply", "--yes").startswith("Nothing to do:")

    def test_apply_shows_the_secret_once_on_a_terminal(self, stripe):
        assert "The secret, told this once: whsec_101\n" in run("apply", "--yes", out=Terminal())

    def test_apply_makes_no_secret_that_nobody_would_see(self, stripe):
        with pytest.raises(CommandError, match="--secret-file"):
            run("apply", "--yes")

        assert stripe.endpoints == []

    def test_apply_overwrites_no_file(self, stripe, tmp_path):
        path = tmp_path / "secret"
        path.write_text("whsec_old")

        with pytest.raises(CommandError, match="File exists"):
            run("apply", "--yes", "--secret-file", str(path))

        assert (path.read_text(), stripe.endpoints) == ("whsec_old", [])

    def test_leaves_no_empty_file_where_stripe_refuses(self, stripe, tmp_path, monkeypatch):
        def refuse(**_params):
            raise unavailable()

        monkeypatch.setattr("payments.stripe_api.endpoints.create_endpoint", refuse)

        with pytest.raises(CommandError, match="Run `stripe_webhooks plan` to see what was done"):
            run("apply", "--yes", "--secret-file", str(tmp_path / "secret"))

        assert list(tmp_path.iterdir()) == []

    def test_asks_before_it_changes_anything(self, stripe):
        stripe.endpoints = [our_endpoint(SITE)]

        with pytest.raises(CommandError, match="say --yes"):
            run("disable")

        assert stripe.endpoints[0]["status"] == "enabled"

    def test_disables_with_a_warning_and_enables(self, stripe):
        stripe.endpoints = [our_endpoint(SITE)]

        said = run("disable", "--yes")

        assert stripe.endpoints[0]["status"] == "disabled"
        assert "is not sent later" in said
        run("enable", "--yes")
        assert stripe.endpoints[0]["status"] == "enabled"

    def test_rotates_and_says_what_to_do_next(self, stripe, tmp_path):
        stripe.endpoints = [our_endpoint(SITE)]

        said = run("rotate", "--yes", "--secret-file", str(tmp_path / "new"))

        assert "beside the old one" in said
        assert "`stripe_webhooks rotate --finish`" in said
        assert (tmp_path / "new").read_text() == "whsec_101\n"

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["plan", "--finish"], "--finish belongs to rotate"),
            (["rotate", "--finish", "--yes"], "No endpoint is taking the place"),
            (["enable"], "`stripe_webhooks apply` makes one"),
            (["destroy"], "invalid choice"),
        ],
    )
    def test_says_what_makes_no_sense(self, stripe, options, words):
        with pytest.raises(CommandError, match=words):
            run(*options)

    def test_knows_that_stripe_cannot_reach_this_machine(self, stripe, settings):
        settings.SITE_URL = "http://127.0.0.1:8000"

        with pytest.raises(CommandError, match="stripe listen"):
            run("apply", "--yes")
