import os
import subprocess
import sys

import pytest

from config.env import ROOT

PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "of-production",
    "DATABASE_URL": "postgres://unused/unused",
    "STRIPE_SECRET_KEY": "sk_live_a",
}


def refusal_under(**environment: str) -> str:
    """What a process of production says when it starts under these settings; "" if it is content."""
    env = {"PATH": os.environ["PATH"], **PRODUCTION, **environment}
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


class TestProduction:
    def test_starts(self):
        assert refusal_under() == ""

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("STRIPE_API_BASE", "http://127.0.0.1:8001", "somebody who is not Stripe"),
            ("STRIPE_WEBHOOK_UNSIGNED", "true", "anybody mark orders as paid"),
            ("STRIPE_API_VERSION", "2023-10-16", "other object shapes"),
            ("DEBUG", "true", "shows secrets to strangers"),
            ("TRUSTED_PROXY_HEADER", "HTTP_X_FORWARDED_PROTO", "how many proxies"),
            ("TRUSTED_PROXY_COUNT", "-1", "how many proxies"),
            ("STRIPE_RATE_LIMIT_MAX", "0", "must be 1 or more"),
            ("STRIPE_RATE_LIMIT_WINDOW", "-5", "must be 1 or more"),
        ],
    )
    def test_refuses_what_must_not_be(self, name, value, words):
        assert words in refusal_under(**{name: value})
