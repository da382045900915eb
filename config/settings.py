"""The one settings file; everything that differs between machines comes from the environment (docs/settings.md)."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from config import rights
from config.env import env, flag, lines, load_dev_file, naming, number, secret, secrets, text
from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(text("VAR_DIR", str(BASE_DIR / "var")))
load_dev_file()

ENVIRONMENT = text("ENVIRONMENT", "production")
if ENVIRONMENT not in ("production", "development", "test"):
    raise ImproperlyConfigured(f"ENVIRONMENT is {ENVIRONMENT!r}; it must be production, development or test.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = flag("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG shows secrets to strangers: it cannot be on in production.")
SECRET_KEY = secret("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY (or SECRET_KEY_FILE) is not set. `make run` sets up a development machine.")
VERSION = text("VERSION", "development")
# Opens /metrics; without one it is open outside production, and not there in production.
METRICS_TOKEN = secret("METRICS_TOKEN")

SITE_NAME = text("SITE_NAME", "payments")
SITE_URL = text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = lines("ALLOWED_HOSTS") or ([] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"])

INSTALLED_APPS = [
    "config.apps.AdminConfig",  # django.contrib.admin with doors of our own
    *(f"django.contrib.{name}" for name in ("auth", "contenttypes", "messages", "postgres", "sessions")),
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "accounts",
    "payments",
    "registrations",
    "modules_access",
]
# Stands in for Stripe: a process of its own (config/settings_emulator.py) that keeps its tables here.
STRIPE_EMULATOR = flag("STRIPE_EMULATOR", default=False)
if STRIPE_EMULATOR:
    INSTALLED_APPS.append("stripe_emulator")
AUTH_USER_MODEL = "accounts.User"
STAFF_GROUPS, FORMER_RIGHTS = rights.STAFF_GROUPS, rights.FORMER_RIGHTS
MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    # What Stripe delivers is answered here; nothing below costs it anything, or can turn it away.
    "config.middleware.WebhookMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "config.middleware.ReaderMiddleware",
    "config.middleware.AnswerMiddleware",
    "config.middleware.RequestGuardMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF, WEBHOOK_VIEW = "config.urls", "payments.webhook.views.WebhookView"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["payments.money"],
            "libraries": {"shop": "accounts.shop.identity"},
        },
    },
]

# --- Data: one engine everywhere; a new connection for each request would cost more than the request -----------
if not text("DATABASE_URL").startswith(("postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (postgres://…).")
with naming("DATABASE_URL"):
    DATABASE = env.db("DATABASE_URL")
# Behind a pooler LISTEN needs a connection of its own.
DATABASE_LISTEN_URL = text("DATABASE_LISTEN_URL")
# After so many times a statement of payments.sql.prepared is; a pooler may give the next one to another connection.
DATABASE["OPTIONS"] = {"prepare_threshold": None if DATABASE_LISTEN_URL else 2, **DATABASE.get("OPTIONS", {})}
DATABASES = {"default": {**DATABASE, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}}
REDIS_URL = text("REDIS_URL")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entry",
        # The counters of config/counters.py lie there too; from this many rows on Django removes a third of all.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- Stripe ----------------------------------------------------------------------------------------------------
STRIPE_API_VERSION = "2026-10-28.endive"
if text("STRIPE_API_VERSION", STRIPE_API_VERSION) != STRIPE_API_VERSION:
    raise ImproperlyConfigured(
        f"STRIPE_API_VERSION is {text('STRIPE_API_VERSION')!r}, but this version of the product was written for "
        f"{STRIPE_API_VERSION!r}; another one has other object shapes. Remove the setting: events of older shapes "
        "are understood all the same."
    )
STRIPE_SECRET_KEY = secret("STRIPE_SECRET_KEY")
STRIPE_API_BASE = text("STRIPE_API_BASE").rstrip("/")
if PRODUCTION and STRIPE_API_BASE:
    raise ImproperlyConfigured("STRIPE_API_BASE leads payments to somebody who is not Stripe: not in production.")
STRIPE_EMULATOR_URL = text("STRIPE_EMULATOR_URL", "http://127.0.0.1:8001").rstrip("/")
# The price with which one subscribes to the plan of this name, unless the admin names another.
STRIPE_PRICES = {"monthly": text("STRIPE_PRICE_MONTHLY"), "yearly": text("STRIPE_PRICE_YEARLY")}
# Access beyond the end of a period that nobody has told of, and while a renewal is not paid.
SUBSCRIPTION_GRACE_DAYS = number("SUBSCRIPTION_GRACE_DAYS", 3)
PAST_DUE_GRACE_DAYS = number("PAST_DUE_GRACE_DAYS", 7)
STRIPE_WEBHOOK_SECRETS = secrets("STRIPE_WEBHOOK_SECRET")
STRIPE_WEBHOOK_UNSIGNED = flag("STRIPE_WEBHOOK_UNSIGNED", default=False)
STRIPE_WEBHOOK_TOLERANCE_SECONDS = 300
STRIPE_WEBHOOK_MAX_BYTES = number("STRIPE_WEBHOOK_MAX_BYTES", 1024 * 1024, least=1)
# Deliveries that arrive at once are recorded by one commit (docs/adr/0019-group-commit.md); off: each by its own.
WEBHOOK_GROUP_COMMIT = flag("WEBHOOK_GROUP_COMMIT", default=True)
# A type whose events fail in the same way, one after another, is held back by itself (docs/incident.md).
HOLD_FAILING_TYPES = flag("HOLD_FAILING_TYPES", default=True)
STRIPE_LIVEMODE = flag("STRIPE_LIVEMODE", default=PRODUCTION)
STRIPE_ACCOUNT = text("STRIPE_ACCOUNT")
# On the payment routes one client may try so often (MAX) in so many milliseconds (WINDOW).
STRIPE_RATE_LIMIT_MAX = number("STRIPE_RATE_LIMIT_MAX", 100 if ENVIRONMENT == "development" else 5, least=1)
STRIPE_RATE_LIMIT_WINDOW = number("STRIPE_RATE_LIMIT_WINDOW", 15 * 60 * 1000, least=1)
# So long a free place is held while its address is confirmed.
FREE_HOLD_MINUTES = number("FREE_HOLD_MINUTES", 30, least=1)
# So many unpaid places at once for one address, and for one client: more where many are let through from one address.
HOLDS_PER_ADDRESS = number("HOLDS_PER_ADDRESS", 3, least=1)
HOLDS_PER_CLIENT = number("HOLDS_PER_CLIENT", max(10, STRIPE_RATE_LIMIT_MAX // 10), least=1)
if PRODUCTION and STRIPE_WEBHOOK_UNSIGNED:
    raise ImproperlyConfigured("STRIPE_WEBHOOK_UNSIGNED lets anybody mark orders as paid: not in production.")

# --- Modules and their tokens (docs/adr/0011-module-access.md) ---------------------------------------------------
MIN_JWT_SECRET_LENGTH = 32


@dataclass(frozen=True, slots=True)
class ModuleSettings:
    """`jwt_secrets`: the first signs, all are accepted. `pass_seconds`: how long somebody has to arrive at a module.

    One service key may call `api_rate_max` times in `api_rate_window` seconds.
    """

    jwt_secrets: tuple[str, ...] = field(repr=False)
    token_hours: int
    token_uses: int
    pass_seconds: int
    api_rate_max: int
    api_rate_window: int


MODULES = ModuleSettings(
    jwt_secrets=tuple(secrets("JWT_SECRET") or [hashlib.sha256(f"module tokens {SECRET_KEY}".encode()).hexdigest()]),
    token_hours=number("MODULE_TOKEN_HOURS", 72, least=1),
    token_uses=number("MODULE_TOKEN_USES", 100, least=1),
    pass_seconds=number("MODULE_PASS_SECONDS", 300, least=1),
    api_rate_max=number("MODULE_API_RATE_MAX", 6000, least=1),
    api_rate_window=number("MODULE_API_RATE_WINDOW", 60, least=1),
)
if min(map(len, MODULES.jwt_secrets)) < MIN_JWT_SECRET_LENGTH:
    raise ImproperlyConfigured(
        f"JWT_SECRET must have {MIN_JWT_SECRET_LENGTH} characters or more; each of them, where there are several."
    )

# --- Who sells: shown on receipts --------------------------------------------------------------------------------
SELLER_NAME = text("SELLER_NAME", SITE_NAME)
SELLER_ADDRESS = text("SELLER_ADDRESS")
SELLER_VAT_NOTE = text("SELLER_VAT_NOTE")

# --- Mail ------------------------------------------------------------------------------------------------------
EMAIL_FILE_PATH = str(VAR_DIR / "mails")
EMAIL_BACKEND = "payments.effects.mail.EmailBackend"
if text("EMAIL_URL"):
    with naming("EMAIL_URL"):
        vars().update(env.email_url("EMAIL_URL"))
elif PRODUCTION:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = text("DEFAULT_FROM_EMAIL", "payments@localhost")
STRIPE_ALERT_EMAIL = lines("STRIPE_ALERT_EMAIL") or ([] if PRODUCTION else ["staff@example.com"])
# Alerts as JSON that Slack and its like understand, signed as Stripe signs its deliveries.
ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET = text("ALERT_WEBHOOK_URL"), secret("ALERT_WEBHOOK_SECRET")
if ALERT_WEBHOOK_URL and not ALERT_WEBHOOK_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured("ALERT_WEBHOOK_URL must begin with https:// or http://.")

# --- Work in the background --------------------------------------------------------------------------------------
BROKER_DIR = VAR_DIR / "broker"
CELERY_BROKER_URL = text("CELERY_BROKER_URL") or REDIS_URL or "filesystem://"
WORKER_READY_FILE = text("WORKER_READY_FILE")
DRAIN_BATCH_SIZE = 100
SWEEP_SECONDS = 5

# --- The JSON API: how it reads and answers, and what its schema says of it ---------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_PARSER_CLASSES": ["config.api.SmallJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "EXCEPTION_HANDLER": "config.errors.api_error",
    "UNAUTHENTICATED_USER": None,
    # `?format=` chooses nothing: there is only JSON.
    "URL_FORMAT_OVERRIDE": None,
}
# docs/api/openapi.yaml is made from the code: make api
SPECTACULAR_SETTINGS = {
    "TITLE": "Registrations",
    "DESCRIPTION": (
        "Activities with limited places, registering for them, plans to subscribe to, and tokens that let people into "
        "modules. JSON only; sign-in and cookies only below /api/me/: a registration is reached by its own token, so "
        "whoever has the token may see it and pay for it; tokens for modules are made, verified and revoked by other "
        "programs, which send a service key. Fields that an address does not know are refused. Amounts are integers in "
        "the smallest unit of the currency beside them. "
        "Refusals are in English and say what they are by a `code`; `status_text` comes in the language of "
        "`Accept-Language` (`fr` or `en`). Where tries are limited, every answer carries `RateLimit-Limit`, "
        "`RateLimit-Remaining` and `RateLimit-Reset`."
    ),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["config.api.api_only"],
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ActivityState": "registrations.models.Sale",
        "RegistrationStatus": "registrations.models.RegistrationStatus",
        "OrderStatus": "payments.statuses.OrderStatus",
        "AccessSource": "modules_access.models.AccessType",
    },
}

# --- Language and time -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
# Each in its own words: whoever looks for a language reads it in that.
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = text("TIME_ZONE", "Europe/Paris")
with naming("TIME_ZONE"):
    ZoneInfo(TIME_ZONE)
USE_TZ = True

# --- Security ----------------------------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL, LOGIN_REDIRECT_URL = "sign-in", "account"
PASSWORD_RESET_TIMEOUT = 24 * 60 * 60  # seconds for which the link of a mail about an account works
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
# A probe from inside speaks plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^(healthz/.*|health|livez|readyz|metrics)/?$"]
SECURE_PROXY_SSL_HEADER = (text("TRUSTED_PROXY_HEADER"), "https") if text("TRUSTED_PROXY_HEADER") else None
TRUSTED_PROXY_COUNT = number("TRUSTED_PROXY_COUNT", 0)
if SECURE_PROXY_SSL_HEADER and not TRUSTED_PROXY_COUNT:
    raise ImproperlyConfigured(
        "TRUSTED_PROXY_COUNT must say how many proxies stand in front and append to X-Forwarded-For: with "
        "TRUSTED_PROXY_HEADER there is at least one, and without the number all visitors would count as one client."
    )
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"

# --- Files ------------------------------------------------------------------------------------------------------
FILE_UPLOAD_HANDLERS = ["config.middleware.NoFiles"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # of any form; the longest of ours are actions on a whole page of a list
STATIC_URL, STATIC_ROOT = "static/", VAR_DIR / "static"
# Outside production files are read where they lie: nothing needs to be collected first.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
STATIC_STORAGE = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if PRODUCTION
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}

# --- Logs: configured here, so that whatever reads the settings logs alike --------------------------------------
LOGGING_CONFIG = None
LOG_FORMAT = text("LOG_FORMAT", "json" if PRODUCTION else "console")
LOG_LEVEL = text("LOG_LEVEL", "INFO").upper()
# A terminal of development is read by people: static files, probes and the timetable's ticks stay out of it.
VERBOSE = flag("VERBOSE", default=ENVIRONMENT != "development" or LOG_LEVEL == "DEBUG")
with naming("LOG_LEVEL"):
    logging_config(log_format=LOG_FORMAT, level=LOG_LEVEL, verbose=VERBOSE)
