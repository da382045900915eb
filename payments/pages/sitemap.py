"""`/sitemap.xml` and `/robots.txt`: what search engines are shown. Each app adds its pages (`SITEMAPS`)."""

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import sitemap
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

# By a name of its own, filled at start-up.
SITEMAPS: dict[str, type[Sitemap]] = {}
HIDDEN = ("/account/", "/admin/", "/api/", "/encours/", "/registrations/", "/subscription/")


class Offers(Sitemap):
    """The lists."""

    def items(self) -> list[str]:
        return ["catalogue", "modules", "plans"]

    def location(self, item: str) -> str:
        return reverse(item)


SITEMAPS["offers"] = Offers


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What concerns one person is nobody else's; of a site in test mode nothing is to be found."""
    hidden = HIDDEN if settings.STRIPE_LIVEMODE else ("/",)
    lines = ["User-agent: *", *(f"Disallow: {each}" for each in hidden), f"Sitemap: {settings.SITE_URL}/sitemap.xml"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


urlpatterns = [
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
    path("robots.txt", robots, name="robots"),
]
