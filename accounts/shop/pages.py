"""The shop's own pages: what one agrees to, and the style sheet with its accent."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag, require_safe

from accounts.shop.identity import current_shop
from accounts.shop.models import Shop, ShopPage
from accounts.shop.prose import as_html

A_YEAR = 31_536_000


@require_safe
@cache_control(private=True, no_cache=True)
def shop_page(request: HttpRequest, page: str) -> HttpResponse:
    """One of the four texts, in the reader's language or else in the other; 404 where there is none."""
    if page not in ShopPage.values:
        raise Http404
    chosen, shop, own = ShopPage(page), Shop.objects.first(), (get_language() or "en")[:2]
    text, language = shop.text_of(chosen, own) if shop else ("", own)
    if not text:
        raise Http404
    context = {"page_title": chosen.label, "text": as_html(text), "language": "" if language == own else language}
    return render(request, "public/shop_page.html", context)


@require_safe
@etag(lambda _request, version: f'"{current_shop().style_version}"')
def shop_style(request: HttpRequest, version: str) -> HttpResponse:
    """At an address that changes with what is in it: kept by browsers for ever, asked for again at any other."""
    shop = current_shop()
    if not shop.style:
        raise Http404
    response = HttpResponse(shop.style, content_type="text/css; charset=utf-8")
    if version == shop.style_version:
        patch_cache_control(response, public=True, max_age=A_YEAR, immutable=True)
    else:
        patch_cache_control(response, no_cache=True)
    return response


urlpatterns = [
    path("shop/<slug:page>/", shop_page, name="shop-page"),
    path("shop.<slug:version>.css", shop_style, name="shop-style"),
]
