import pytest
from structlog.testing import capture_logs

from payments.webhook.views import announce


class TestAnnounce:
    @pytest.mark.parametrize(
        ("secrets", "unsigned", "level", "word"),
        [
            (["whsec_a", "whsec_b"], False, "info", "on"),
            (["whsec_a"], True, "info", "on"),
            ([], True, "warning", "off"),
            ([], False, "error", "impossible"),
        ],
    )
    def test_says_whether_signatures_are_verified(self, settings, secrets, unsigned, level, word):
        settings.STRIPE_WEBHOOK_SECRETS, settings.STRIPE_WEBHOOK_UNSIGNED = secrets, unsigned

        with capture_logs() as lines:
            announce()

        (line,) = lines
        assert (line["log_level"], line["secrets"]) == (level, len(secrets))
        assert line["verification"].startswith(word)
        assert "whsec" not in repr(line)
