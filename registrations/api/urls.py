"""The addresses below /api/."""

from django.urls import path

from config.api import schema
from registrations.api.views import ActivitiesView, ActivityView, CheckoutView, RegistrationsView, RegistrationView

urlpatterns = [
    path("schema/", schema, name="api-schema"),
    path("activities/", ActivitiesView.as_view(), name="api-activities"),
    path("activities/<slug:slug>/", ActivityView.as_view(), name="api-activity"),
    path("activities/<slug:slug>/registrations/", RegistrationsView.as_view(), name="api-register"),
    path("registrations/<str:token>/", RegistrationView.as_view(), name="api-registration"),
    path("registrations/<str:token>/checkout/", CheckoutView.as_view(), name="api-checkout"),
]
