"""The JSON API: how it reads and answers, and what its schema says of it."""

REST_FRAMEWORK = {
    "DEFAULT_PARSER_CLASSES": ["config.json_body.SmallJSONParser"],
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
        "Texts come in the language of `Accept-Language` (`fr` or `en`)."
    ),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["config.api_schema.without_webhooks"],
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ActivityState": "registrations.models.Sale",
        "RegistrationStatus": "registrations.models.RegistrationStatus",
        "OrderStatus": "payments.statuses.OrderStatus",
        "AccessSource": "modules_access.models.AccessType",
    },
}
