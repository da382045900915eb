"""The doorways of the API: each unpacks a request, calls one service, and packs the answer."""

from contextlib import suppress
from typing import Any, Never, cast

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from config.rate_limit import TooOften
from modules_access.api import documentation
from modules_access.api.authentication import (
    HasScope,
    KeyThrottle,
    ServiceKeyAuthentication,
    key_of,
    require_module,
)
from modules_access.api.refusals import NotRevocable, NotThere, get_module, told_to_programs
from modules_access.api.serializers import (
    MadeTokenSerializer,
    OwnModulesSerializer,
    RevokedSerializer,
    TokenToRevokeSerializer,
    TokenToVerifySerializer,
    VerifiedSerializer,
    WantedTokenSerializer,
)
from modules_access.jwt import read
from modules_access.models import AccessToken, Module, Scope, ServiceKey
from modules_access.refusals import SENTENCES
from modules_access.services.generate import generate
from modules_access.services.mine import mine
from modules_access.services.tokens import TokenNotRevoked, revoke_token
from modules_access.services.verify import verify
from payments.pages.api_views import OwnView


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
        wanted = WantedTokenSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        asked, key = dict(wanted.validated_data), key_of(request)
        module = get_module(asked.pop("module_id"))
        require_module(key, module)
        with told_to_programs():
            made = generate(module=module, key=key, at=timezone.now(), **asked)
        told = MadeTokenSerializer(made.token, context={"jwt": made.jwt}).data
        return Response(told, status=status.HTTP_201_CREATED if made.is_new else status.HTTP_200_OK)


class VerifyView(ServiceView):
    """Where a module asks whom a token lets in."""

    scope = Scope.VERIFY

    @extend_schema(**documentation.VERIFY)
    def post(self, request: Request) -> Response:
        wanted = TokenToVerifySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        module = module_asked_for(key_of(request), wanted.validated_data.get("module_id"))
        with told_to_programs():
            verified = verify(wanted.validated_data["token"], module=module, at=timezone.now())
        return Response(VerifiedSerializer(verified).data)


class RevokeView(ServiceView):
    """Where a program ends a token."""

    scope = Scope.REVOKE

    @extend_schema(**documentation.REVOKE)
    def post(self, request: Request) -> Response:
        wanted = TokenToRevokeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        key, at = key_of(request), timezone.now()
        token = get_token(wanted.validated_data)
        require_module(key, token.module)
        # Revoked before: then it is as was asked for.
        with suppress(TokenNotRevoked):
            revoke_token(token=token, reason=wanted.validated_data["reason"], by=key, at=at)
        token.refresh_from_db()
        return Response(RevokedSerializer(token).data)


class OwnModulesView(OwnView):
    """The modules of who is signed in."""

    @extend_schema(**documentation.MINE)
    def get(self, request: Request) -> Response:
        return Response(OwnModulesSerializer(mine(cast(User, request.user)), context={"at": timezone.now()}).data)


def module_asked_for(key: ServiceKey, name: str | None) -> Module:
    """The module that the key is for, or that the request names where it is for all. Raises what the API answers."""
    if name is not None:
        module = get_module(name)
        require_module(key, module)
        return module
    if key.module is None:
        raise ValidationError({"moduleId": [_("This key is for all modules: name the one that asks.")]})
    return key.module


def get_token(told: dict[str, Any]) -> AccessToken:
    """The token that is to be revoked, by its id or by a JWT. Raises what the API answers."""
    jti = told.get("token_id")
    if jti is None:
        with told_to_programs():
            claims = read(told["token"], audience=None, at=timezone.now())
        if claims.access_id is not None:
            raise NotRevocable
        jti = claims.jti
    token = AccessToken.objects.filter(jti=jti).select_related("module").first()
    if token is None:
        raise NotThere("token_unknown", SENTENCES["token_unknown"])
    return token
