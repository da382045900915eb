"""Its one address, and the callback that takes events and does nothing."""

from typing import Any

from django.urls import include, path


def leave_it(trigger: Any, **_told: Any) -> None:
    """Where a shop would send a task."""


urlpatterns = [path("stripe/", include("djstripe.urls", namespace="djstripe"))]
