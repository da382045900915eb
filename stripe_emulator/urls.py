"""Every address of the emulator."""

from django.urls import path

from stripe_emulator.api.view import api

urlpatterns = [
    path("v1/<path:path>", api),
]
