"""The OpenAPI schema of the JSON API, made from the code; docs/api/openapi.yaml is the same text."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import override
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

# Stripe's deliveries are nothing that clients of the API may send.
WEBHOOKS = "/api/webhooks/"
Endpoint = tuple[str, str, str, Callable[..., Any]]


def without_webhooks(endpoints: list[Endpoint]) -> list[Endpoint]:
    """What of the site's addresses the schema describes."""
    return [one for one in endpoints if one[0].startswith("/api/") and not one[0].startswith(WEBHOOKS)]


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI schema as YAML: the same text as docs/api/openapi.yaml."""
    return HttpResponse(schema_text(), content_type="application/yaml; charset=utf-8")


@cache
def schema_text() -> bytes:
    """Made once for each process, in English: a schema is a contract, which has one wording."""
    with override("en"):
        return bytes(OpenApiYamlRenderer().render(SchemaGenerator().get_schema(public=True)))
