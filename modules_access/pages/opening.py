"""`/encours/<access>/open`: leads a person into a module, with a short token that the module verifies here."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from modules_access.jwt import mint_pass
from modules_access.links import encours_path
from modules_access.models import ModuleAccess
from modules_access.pages.address import NotReachable, with_token
from modules_access.pages.doorway import OwnPage
from payments.pages.base_views import see_other, user_of

log = structlog.get_logger(__name__)


class OpenPage(OwnPage):
    """The button "Open". A POST only: nobody else's page can have a token made."""

    def get(self, request: HttpRequest, access_id: int) -> HttpResponse:
        return redirect("encours")

    def act(self, request: HttpRequest, **names: int) -> HttpResponse:
        now = timezone.now()
        access = get_object_or_404(ModuleAccess.objects.of(user_of(request)), pk=names["access_id"])
        if not access.is_open(at=now):
            return see_other(encours_path(ended=access.module.slug))
        try:
            response = see_other(with_token(access.module.url, mint_pass(access, at=now)))
        except NotReachable:
            log.error("module.not_reachable", module=access.module.slug)
            return see_other(encours_path(unreachable=access.module.slug))
        log.info("module.entered", module=access.module.slug, access=access.pk)
        # The token is in the address: it goes to the module, and to nobody whom the module links to.
        response["Referrer-Policy"] = "no-referrer"
        return response
