"""dj-stripe in a fresh project, its connection to the database kept; Stripe answers from within the process.

With CALLS_BACK it only stores the trigger and leaves the event to a callback, which does nothing here.
"""

import os

import stripe
from textbook.settings import ALLOWED_HOSTS, DATABASES, MIDDLEWARE, USE_TZ  # noqa: F401

from djstripe_site.stripe_stub import StripeStub

SECRET_KEY = "djstripe"
ROOT_URLCONF = "djstripe_site.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "djstripe",
]
STRIPE_LIVE_MODE = True
STRIPE_LIVE_SECRET_KEY = "sk_live_" + "a" * 24
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_WEBHOOK_EVENT_CALLBACK = "djstripe_site.urls.leave_it" if os.environ["CALLS_BACK"] else None

stripe.default_http_client = StripeStub(os.environ["SESSION"])
