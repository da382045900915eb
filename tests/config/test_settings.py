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
            ("TRUSTED_PROXY_COUNT", "-1", "TRUSTED_PROXY_COUNT is -1; it must be 0 or more"),
            ("STRIPE_RATE_LIMIT_MAX", "0", "STRIPE_RATE_LIMIT_MAX is 0; it must be 1 or more"),
            ("STRIPE_RATE_LIMIT_WINDOW", "-5", "STRIPE_RATE_LIMIT_WINDOW is -5; it must be 1 or more"),
            ("STRIPE_RATE_LIMIT_MAX", "five", "STRIPE_RATE_LIMIT_MAX is 'five'; it must be a whole number"),
            ("PAST_DUE_GRACE_DAYS", "1.5", "PAST_DUE_GRACE_DAYS is '1.5'"),
            ("MODULE_TOKEN_HOURS", "x", "MODULE_TOKEN_HOURS is 'x'"),
            ("STRIPE_LIVEMODE", "perhaps", "STRIPE_LIVEMODE is 'perhaps'; it must be true or false"),
            ("EMAIL_URL", "nonsense", "EMAIL_URL means nothing"),
            ("DATABASE_URL", "postgres://a:b@h:port/x", "DATABASE_URL means nothing"),
            ("TIME_ZONE", "Mars", "TIME_ZONE means nothing"),
            ("LOG_LEVEL", "LOUD", "LOG_LEVEL means nothing"),
            ("METRICS_TOKEN_FILE", "/nowhere", "METRICS_TOKEN_FILE cannot be read"),
        ],
    )
    def test_refuses_what_must_not_be(self, name, value, words):
        assert words in refusal_under(**{name: value})
