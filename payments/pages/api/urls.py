"""The addresses of plans and subscriptions below /api/."""

from django.urls import path

from payments.pages.api.views import PlansView, PortalView, SubscriptionView

urlpatterns = [
    path("plans/", PlansView.as_view(), name="api-plans"),
    path("me/subscription/", SubscriptionView.as_view(), name="api-subscription"),
    path("me/subscription/portal/", PortalView.as_view(), name="api-portal"),
]
