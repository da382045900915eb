"""`python -m djstripe_site.prepare`: the tables, the account and the endpoint with its secret; prints its path."""

import os

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import reverse  # noqa: E402
from djstripe.models import Account, WebhookEndpoint  # noqa: E402

call_command("migrate", verbosity=0)
account = Account.get_or_retrieve_for_api_key(settings.STRIPE_LIVE_SECRET_KEY)
endpoint, _made = WebhookEndpoint.objects.update_or_create(
    id="we_1bench",
    defaults={
        "livemode": True, "enabled_events": ["*"], "status": "enabled", "url": "https://shop.example/stripe/webhook",
        "secret": os.environ["STRIPE_WEBHOOK_SECRET"], "djstripe_owner_account": account,
    },
)  # fmt: skip
print(reverse("djstripe:djstripe_webhook_by_uuid", args=[endpoint.djstripe_uuid]))
