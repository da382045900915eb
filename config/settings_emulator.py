"""Settings of the Stripe emulator's own process: its addresses and nothing of the product."""

import os

os.environ["STRIPE_EMULATOR"] = "1"
from config.settings import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.postgres", "django.contrib.staticfiles", "stripe_emulator"]
ROOT_URLCONF = "stripe_emulator.urls"
WSGI_APPLICATION = "stripe_emulator.wsgi.application"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    },
]
# Cookies know no ports: the product runs at the same host.
CSRF_COOKIE_NAME = "emulator_csrftoken"
LANGUAGE_COOKIE_NAME = "emulator_language"
CSRF_TRUSTED_ORIGINS = [STRIPE_EMULATOR_URL]  # noqa: F405
