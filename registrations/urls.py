"""The public addresses of registrations."""

from django.urls import path

from registrations.pages.activities import ActivityPage, WaitingListPage
from registrations.pages.catalogue import catalogue
from registrations.pages.confirmation import ConfirmPage, ConfirmWaitingPage
from registrations.pages.registration import PayRegistrationPage, receipt, registration
from registrations.pages.withdrawal import WithdrawPage, calendar

urlpatterns = [
    path("", catalogue, name="catalogue"),
    path("activities/<slug:slug>/", ActivityPage.as_view(), name="activity"),
    path("activities/<slug:slug>/waiting-list", WaitingListPage.as_view(), name="waiting-list"),
    path("registrations/confirm/<str:token>/", ConfirmPage.as_view(), name="confirm"),
    path("waiting/confirm/<str:token>/", ConfirmWaitingPage.as_view(), name="confirm-waiting"),
    path("registrations/<str:token>/", registration, name="registration"),
    path("registrations/<str:token>/pay", PayRegistrationPage.as_view(), name="pay"),
    path("registrations/<str:token>/receipt/", receipt, name="receipt"),
    path("registrations/<str:token>/receipt.pdf", receipt, {"as_pdf": True}, name="receipt-pdf"),
    path("registrations/<str:token>/calendar.ics", calendar, name="calendar"),
    path("registrations/<str:token>/cannot-come", WithdrawPage.as_view(), name="cannot-come"),
]
