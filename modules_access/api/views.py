"""The views of the API: each reads a request, calls one service, and answers; a refusal has a status and a code."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Never, cast

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from config.api import Conflict
from config.rate_limit import TooOften
from modules_access.api import documentation
from modules_access.api.authentication import (
    HasScope,
    KeyThrottle,
    ServiceKeyAuthentication,
    key_of,
    require_module,
)
from modules_access.api.serializers import (
    MadeTokenSerializer,
    OwnModulesSerializer,
    RevokedSerializer,
    TokenToRevokeSerializer,
    TokenToVerifySerializer,
    VerifiedSerializer,
    WantedTokenSerializer,
)
from modules_access.jwt import REFUSAL_SENTENCES, TokenRefused, read_token
from modules_access.models import AccessToken, Module, Scope, ServiceKey
from modules_access.services.my_modules import own_accesses
from modules_access.services.tokens import (
    GENERATION_REFUSALS,
    NotGenerated,
    TokenNotRevoked,
    find_module,
    generate,
    revoke_token,
)
from modules_access.services.verify import verify
from payments.pages.api_views import OwnView

PASS_NOT_REVOCABLE = gettext_lazy("This is a pass, which is over within minutes: there is nothing to revoke.")
UNKNOWN_CODES = {"unknown_module", "unknown_user", "unknown_payment"}


class TokenDenied(Conflict):
    """The token lets nobody in: 403."""

    status_code = status.HTTP_403_FORBIDDEN


class UnknownReference(Conflict):
    """The request names something that does not exist: 422."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY


class TokenNotFound(Conflict):
    """What the request is about does not exist: 404."""

    status_code = status.HTTP_404_NOT_FOUND


class PassNotRevocable(Conflict):
    """A pass is no row: it is over within minutes."""

    def __init__(self) -> None:
        super().__init__("not_revocable", PASS_NOT_REVOCABLE)


@method_decorator(never_cache, name="dispatch")
class ServiceView(APIView):
    """For other programs: by a service key that is for this `scope`."""

    authentication_classes = (ServiceKeyAuthentication,)
    permission_classes = (HasScope,)
    throttle_classes = (KeyThrottle,)
    scope: str

    def throttled(self, request: Request, wait: float | None) -> Never:
        raise TooOften(wait)


class GenerateView(ServiceView):
    """Where a program asks for the token that a payment gives."""

    scope = Scope.GENERATE

    @extend_schema(**documentation.GENERATE)
    def post(self, request: Request) -> Response:
        body = WantedTokenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        parameters, key = dict(body.validated_data), key_of(request)
        module = get_module(parameters.pop("module_id"))
        require_module(key, module)
        with service_refusals():
            made = generate(module=module, key=key, at=timezone.now(), **parameters)
        data = MadeTokenSerializer(made.token, context={"jwt": made.jwt}).data
        return Response(data, status=status.HTTP_201_CREATED if made.is_new else status.HTTP_200_OK)


class VerifyView(ServiceView):
    """Where a module asks whom a token lets in."""

    scope = Scope.VERIFY

    @extend_schema(**documentation.VERIFY)
    def post(self, request: Request) -> Response:
        body = TokenToVerifySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key = key_of(request)
        module = requested_module(key, body.validated_data.get("module_id"))
        with service_refusals():
            verified = verify(body.validated_data["token"], module=module, by=key, at=timezone.now())
        return Response(VerifiedSerializer(verified).data)


class RevokeView(ServiceView):
    """Where a program ends a token."""

    scope = Scope.REVOKE

    @extend_schema(**documentation.REVOKE)
    def post(self, request: Request) -> Response:
        body = TokenToRevokeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        key, at = key_of(request), timezone.now()
        token = get_token(body.validated_data)
        require_module(key, token.module)
        # Revoked before: then it is as was asked for.
        with suppress(TokenNotRevoked):
            revoke_token(token=token, reason=body.validated_data["reason"], by=key, at=at)
        token.refresh_from_db()
        return Response(RevokedSerializer(token).data)


class OwnModulesView(OwnView):
    """The modules of who is signed in."""

    @extend_schema(**documentation.LIST_OWN)
    def get(self, request: Request) -> Response:
        own = own_accesses(cast(User, request.user))
        return Response(OwnModulesSerializer(own, context={"at": timezone.now()}).data)


@contextmanager
def service_refusals() -> Iterator[None]:
    """Turns what services refuse inside the block into an answer of the API."""
    try:
        yield
    except TokenRefused as refusal:
        raise TokenDenied(refusal.code, str(refusal)) from None
    except NotGenerated as refusal:
        error = UnknownReference if refusal.code in UNKNOWN_CODES else Conflict
        raise error(refusal.code, str(refusal)) from None


def get_module(name: str) -> Module:
    """The module that the request names. Raises UnknownReference."""
    module = find_module(name)
    if module is None:
        raise UnknownReference("unknown_module", GENERATION_REFUSALS["unknown_module"])
    return module


def requested_module(key: ServiceKey, name: str | None) -> Module:
    """The module that the key is for, or that the request names where it is for all. Raises what the API answers."""
    if name is not None:
        module = get_module(name)
        require_module(key, module)
        return module
    if key.module is None:
        raise ValidationError({"moduleId": [_("This key is for all modules: name the one that asks.")]})
    return key.module


def get_token(data: dict[str, Any]) -> AccessToken:
    """The token that is to be revoked, by its id or by a JWT. Raises what the API answers."""
    jti = data.get("token_id")
    if jti is None:
        with service_refusals():
            claims = read_token(data["token"], audience=None, at=timezone.now())
        if claims.access_id is not None:
            raise PassNotRevocable
        jti = claims.jti
    token = AccessToken.objects.filter(jti=jti).select_related("module").first()
    if token is None:
        raise TokenNotFound("token_unknown", REFUSAL_SENTENCES["token_unknown"])
    return token
