"""The addresses of plans and of the person's own subscription."""

from django.urls import path

from payments.pages.receipts import payment_receipt, payments
from payments.pages.subscription import (
    CancelPage,
    ChangePage,
    PortalPage,
    ResumePage,
    SubscribePage,
    offers,
    plan,
    plans,
    returning,
)

urlpatterns = [
    path("plans/", plans, name="plans"),
    path("plans/<slug:slug>/", plan, name="plan"),
    path("plans/<slug:slug>/subscribe", SubscribePage.as_view(), name="subscribe"),
    path("subscription/", returning, name="subscription"),
    path("subscription/payments/", payments, name="subscription-payments"),
    path("subscription/payments/<int:pk>/receipt/", payment_receipt, name="payment-receipt"),
    path("subscription/payments/<int:pk>/receipt.pdf", payment_receipt, {"as_pdf": True}, name="payment-receipt-pdf"),
    path("subscription/change/", offers, name="change-plan"),
    path("subscription/change/<slug:slug>", ChangePage.as_view(), name="change-to"),
    path("subscription/cancel", CancelPage.as_view(), name="cancel-subscription"),
    path("subscription/resume", ResumePage.as_view(), name="resume-subscription"),
    path("subscription/portal", PortalPage.as_view(), name="portal"),
]
