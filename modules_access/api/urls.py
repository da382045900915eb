"""The addresses of modules and tokens below /api/."""

from django.urls import URLPattern, path
from rest_framework.views import APIView

from modules_access.api.views import GenerateView, OwnModulesView, RevokeView, VerifyView


def either_way(address: str, other: str, view: type[APIView], *, name: str) -> list[URLPattern]:
    """The address as the schema tells it, and the same with or without a slash: a POST cannot be redirected there."""
    return [path(address, view.as_view(), name=name), path(other, view.as_view(schema=None))]


urlpatterns = [
    *either_way(
        "generate-module-token-webhook", "generate-module-token-webhook/", GenerateView, name="api-generate-token"
    ),
    *either_way("module-tokens/verify", "module-tokens/verify/", VerifyView, name="api-verify-token"),
    *either_way("module-tokens/revoke", "module-tokens/revoke/", RevokeView, name="api-revoke-token"),
    *either_way("me/modules/", "me/modules", OwnModulesView, name="api-own-modules"),
]
