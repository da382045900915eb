"""Every address of the emulator."""

from django.urls import path
from django.views.i18n import set_language

from stripe_emulator.api.view import api
from stripe_emulator.pages.checkout import authentication_page, pay_page
from stripe_emulator.pages.console import views
from stripe_emulator.pages.portal import portal_page

urlpatterns = [
    path("v1/<path:path>", api),
    path("pay/<str:id>", pay_page, name="pay"),
    path("pay/<str:id>/authentication", authentication_page, name="pay-authentication"),
    path("portal/<str:id>", portal_page, name="portal"),
    path("", views.overview, name="console"),
    path("act", views.act, name="console-act"),
    path("search", views.search, name="console-search"),
    path("objects/<str:id>", views.show_object, name="console-object"),
    path("events/<str:id>", views.show_event, name="console-event"),
    path("language", set_language, name="set_language"),
]
handler404 = "stripe_emulator.pages.console.page.not_found"
