"""The addresses that the five systems gave to Stripe, with and without a slash: a redirect loses events."""

from django.urls import re_path

from payments.webhook.views import WebhookView

urlpatterns = [
    re_path(r"^stripe/webhooks/?\Z", WebhookView.as_view(), name="webhook"),
    re_path(r"^stripe/webhook/?\Z", WebhookView.as_view()),
    re_path(r"^api/webhooks/stripe/?\Z", WebhookView.as_view()),
]
