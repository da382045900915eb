"""`/pictures/<digest>-<width>.webp`: the same bytes for ever, so that nobody asks twice."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.pictures.models import WIDTHS, Picture

YEAR = 365 * 24 * 3600


@require_safe
@cache_control(public=True, max_age=YEAR, immutable=True)
def show(request: HttpRequest, digest: str, width: int) -> HttpResponse:
    """One of its widths."""
    if width not in WIDTHS:
        raise Http404
    column = "narrow" if width == WIDTHS[0] else "wide"
    data = Picture.objects.filter(digest=digest).values_list(column, flat=True).first()
    if data is None:
        raise Http404
    return HttpResponse(bytes(data), content_type="image/webp")


def picture_path(picture: Picture, *, width: int) -> str:
    """Where the browser gets it."""
    return reverse("picture", args=[picture.digest, width])


def shown_size(picture: Picture, *, width: int) -> tuple[int, int]:
    """Width and height with which a page reserves its room."""
    return width, max(1, round(picture.height * width / picture.width))


urlpatterns = [path("pictures/<slug:digest>-<int:width>.webp", show, name="picture")]
