"""What a web process says about its webhook when it starts: the first place to look when deliveries fail."""

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)


def announce() -> None:
    """Say whether signatures are verified, and with how many secrets; never with which."""
    count = len(settings.STRIPE_WEBHOOK_SECRETS)
    if count:
        log.info("webhook.verification", verification="on", secrets=count)
    elif settings.STRIPE_WEBHOOK_UNSIGNED and not settings.PRODUCTION:
        log.warning("webhook.verification", verification="off", secrets=0)
    else:
        log.error("webhook.verification", verification="impossible: every delivery gets 503", secrets=0)
