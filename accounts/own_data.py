"""`/account/data/…`: everything that is known of oneself as a file, and asking to be erased, which staff see to."""

from typing import cast

import structlog
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.data_subject import export_individual, why_not_yet
from accounts.hooks import Individual, billed_to
from accounts.models import User
from config.rate_limit import limited

log = structlog.get_logger(__name__)
FILE_NAME = "my-data.json"


@method_decorator([never_cache, limited("account.data")], name="dispatch")
class DataPage(LoginRequiredMixin, View):
    """All of it, for JSON. By POST: it reads much, and no other page can have it fetched."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("account"))

    def post(self, request: HttpRequest) -> HttpResponse:
        user = cast(User, request.user)
        found = export_individual(Individual(user.email, user), at=timezone.now())
        headers = {"Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
        return JsonResponse(found, encoder=DjangoJSONEncoder, json_dumps_params={"indent": 1}, headers=headers)


@method_decorator(never_cache, name="dispatch")
class ErasurePage(LoginRequiredMixin, View):
    """What is erased, what must be kept, and what comes first; the button asks staff for it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        user, now = cast(User, request.user), timezone.now()
        reasons = why_not_yet(Individual(user.email, user), at=now)
        context = {"billed": billed_to(user), "reasons": reasons, "asked_at": user.erasure_asked_at}
        return render(request, "accounts/erasure.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Asked again it stays the first day; taken back it is as if nobody had asked."""
        user = cast(User, request.user)
        if "keep" in request.POST:
            User.objects.filter(pk=user.pk).update(erasure_asked_at=None)
            log.info("account.erasure_taken_back", user=user.pk)
        else:
            User.objects.filter(pk=user.pk, erasure_asked_at=None).update(erasure_asked_at=timezone.now())
            log.info("account.erasure_asked", user=user.pk)
        return HttpResponseRedirect(request.path, status=303)
