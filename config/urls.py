"""Every address of the site but the webhook's, which stands before them all (config/middleware.py)."""

from django.contrib import admin
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("", include("config.health")),
    path("", include("payments.health.views")),
    path("", include("config.metrics")),
    path("api/", include("registrations.api.urls")),
    path("api/", include("payments.pages.api_views")),
    path("api/", include("payments.pages.people_api")),
    path("api/", include("modules_access.api.urls")),
    path("admin/", admin.site.urls),
    path("account/", include("accounts.urls")),
    path("", include("accounts.shop.pages")),
    path("", include("accounts.pictures.pages")),
    path("", include("payments.pages.urls")),
    path("", include("payments.pages.sitemap")),
    path("", include("modules_access.urls")),
    # Browsers ask for it on pages that name no icon: those of the admin.
    path("favicon.ico", lambda _request: redirect(static("public/icon.svg"))),
    path("i18n/", include("accounts.language")),
    path("", include("registrations.urls")),
]
