"""The webhook."""

import json
from functools import partial

import stripe
from django.conf import settings
from django.db import transaction
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from textbook.models import StripeEvent
from textbook.tasks import process_event


class StripeWebhook(APIView):
    """Verify, store once, leave the rest to a task."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        signature = request.headers.get("Stripe-Signature", "")
        try:
            event = stripe.Webhook.construct_event(request.body, signature, settings.STRIPE_WEBHOOK_SECRET)
        except (ValueError, stripe.SignatureVerificationError):
            return Response(status=400)
        with transaction.atomic():
            row, is_new = StripeEvent.objects.get_or_create(
                stripe_event_id=event.id, defaults={"type": event.type, "payload": json.loads(request.body)}
            )
            if is_new:
                transaction.on_commit(partial(process_event.delay, row.pk))
        return Response({"received": True})


urlpatterns = [path("stripe/webhooks", StripeWebhook.as_view())]
