"""`/i18n/setlang/`: another language, for the browser and the account; what was typed meanwhile is shown again."""

from collections.abc import Iterator

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import check_for_language
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.next_page import own_path
from accounts.services import change_details

HTTP_SEE_OTHER = 303
TYPED_COOKIE, TYPED_SECONDS, MOST_TYPED = "typed", 60, 2000
# What is no answer to a question of the form, and what is not to be kept for a second.
NOT_TYPED = frozenset({"csrfmiddlewaretoken", "language", "next", "back"})
SECRET = "password"


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Back to where it was chosen (`back`, or `next`), in this language."""
    back = own_path(request.POST.get("back") or request.POST.get("next", "")) or "/"
    response = HttpResponseRedirect(back, status=HTTP_SEE_OTHER)
    language = request.POST.get("language", "")
    if not (language in dict(settings.LANGUAGES) and check_for_language(language)):
        return response
    remember_language(response, language)
    _keep_typed(request, response, path=back.partition("?")[0])
    if isinstance(request.user, User) and request.user.language != language:
        change_details(user_id=request.user.pk, details={"language": language}, at=timezone.now())
    return response


def typed_before(request: HttpRequest) -> dict[str, str]:
    """What stood in the form of this page when the language was changed a moment ago, by field."""
    try:
        kept = signing.loads(request.COOKIES.get(TYPED_COOKIE, ""), salt=TYPED_COOKIE, max_age=TYPED_SECONDS)
    except signing.BadSignature:
        return {}
    return {str(name): str(value) for name, value in kept.items()}


def remember_language(response: HttpResponse, language: str) -> None:
    """In Django's own cookie."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH, domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE, httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )  # fmt: skip


def _keep_typed(request: HttpRequest, response: HttpResponse, *, path: str) -> None:
    """For this page and a minute only; not at all where it is too much for a cookie."""
    typed = dict(_typed(request))
    text = signing.dumps(typed, salt=TYPED_COOKIE, compress=True) if typed else ""
    if typed and len(text) <= MOST_TYPED:
        response.set_cookie(
            TYPED_COOKIE, text, max_age=TYPED_SECONDS, path=path, httponly=True, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip


def _typed(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for name, value in request.POST.items():
        if name not in NOT_TYPED and SECRET not in name and value:
            yield name, str(value)


urlpatterns = [path("setlang/", set_language, name="set_language")]
