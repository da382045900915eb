"""`/demo/module/<slug>/`: stands where a module would, outside production, and verifies the token as a module must."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from modules_access.jwt import TokenRefused
from modules_access.models import Module
from modules_access.services.verify import verify


@require_safe
@never_cache
def demo_room(request: HttpRequest, slug: str) -> HttpResponse:
    """Who has come in, or why nobody has. Looking again is another use, as it is for a module that asks twice."""
    if settings.PRODUCTION:
        raise Http404
    module = get_object_or_404(Module, slug=slug)
    context: dict[str, object] = {"module": module}
    try:
        context["verified"] = verify(request.GET.get("token", ""), module=module, at=timezone.now())
    except TokenRefused as refusal:
        context["refusal"] = refusal
    response = render(request, "modules_access/demo_room.html", context, status=403 if "refusal" in context else 200)
    response["Referrer-Policy"] = "no-referrer"
    return response
