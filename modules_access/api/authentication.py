"""How other programs prove who they are: `Authorization: Bearer <service key>`."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from config.rate_limit import ALLOWED, TooOften, allow, allow_one, remember
from modules_access.models import Module, ServiceKey
from modules_access.services.keys import find_key

SCHEME = "bearer"
WRONG_KEY_LIMIT = "service_key"
CALL_LIMIT = "service_calls"
KEY_MISSING = _("A service key is needed: send it as “Authorization: Bearer …”.")
# One sentence for unknown, expired and revoked: a stranger does not learn which keys there were.
KEY_INVALID = _("This service key is not known, or not valid any more.")
SCOPE_MISSING = _("This service key may not do that.")
OTHER_MODULE = _("This service key is for another module.")


class ServiceKeyAuthentication(BaseAuthentication):
    """`request.auth` is the key; nobody is signed in. Only who sends wrong keys is slowed down."""

    def authenticate(self, request: Request) -> tuple[Any, ServiceKey]:
        scheme, _space, raw = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != SCHEME or not raw.strip():
            raise AuthenticationFailed(KEY_MISSING, code="key_missing")
        key = find_key(raw.strip(), at=timezone.now())
        if key is None:
            if not (decision := allow(request._request, WRONG_KEY_LIMIT)).is_allowed:
                raise TooOften(decision.retry_after)
            raise AuthenticationFailed(KEY_INVALID, code="key_invalid")
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class HasScope(BasePermission):
    """The key is for what the view does: its `scope`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if getattr(view, "scope", "") not in key_of(request).scopes:
            raise PermissionDenied(SCOPE_MISSING, code="key_scope")
        return True


class KeyThrottle(BaseThrottle):
    """settings.MODULES.api_rate_max calls of one key in api_rate_window seconds."""

    decision = ALLOWED

    def allow_request(self, request: Request, view: APIView) -> bool:
        limit = settings.MODULES
        window = timedelta(seconds=limit.api_rate_window)
        decision = allow_one(str(key_of(request).pk), CALL_LIMIT, most=limit.api_rate_max, window=window)
        self.decision = remember(request._request, decision)
        return self.decision.is_allowed

    def wait(self) -> float:
        return self.decision.retry_after


class ServiceKeyScheme(OpenApiAuthenticationExtension):
    """What the schema says of it."""

    target_class = ServiceKeyAuthentication
    name = "serviceKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": SCHEME, "description": "A service key, which staff make in the admin."}


def key_of(request: Request) -> ServiceKey:
    """The key of a request that has been let in."""
    key = request.auth
    assert isinstance(key, ServiceKey)
    return key


def require_module(key: ServiceKey, module: Module) -> None:
    """A key that is limited to a module touches no other. Raises PermissionDenied."""
    if key.module_id is not None and key.module_id != module.pk:
        raise PermissionDenied(OTHER_MODULE, code="key_module")
