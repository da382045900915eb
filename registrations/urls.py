"""The public addresses of registrations."""

from django.urls import path

from registrations.pages.activities import ActivityPage, WaitingListPage, catalogue
from registrations.pages.confirmation import ConfirmPage, ConfirmWaitingPage
from registrations.pages.registration import PayRegistrationPage, receipt, registration

urlpatterns = [
    path("", catalogue, name="catalogue"),
    path("activities/<slug:slug>/", ActivityPage.as_view(), name="activity"),
    path("activities/<slug:slug>/waiting-list", WaitingListPage.as_view(), name="waiting-list"),
    path("registrations/confirm/<str:token>/", ConfirmPage.as_view(), name="confirm"),
    path("waiting/confirm/<str:token>/", ConfirmWaitingPage.as_view(), name="confirm-waiting"),
    path("registrations/<str:token>/", registration, name="registration"),
    path("registrations/<str:token>/pay", PayRegistrationPage.as_view(), name="pay"),
    path("registrations/<str:token>/receipt/", receipt, name="receipt"),
]
