"""Why the API does not subscribe, change or cancel: each refusal has a status and a word for programs."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from config.api import Conflict, Unavailable
from payments.operations.subscribing import AlreadySubscribed, NoCustomer, NoSubscription, NotChangeable, NotNow
from payments.stripe_api.gateway import GatewayRefused, GatewayUnavailable

log = structlog.get_logger(__name__)
CONFLICTS: dict[type[Exception], tuple[str, Promise]] = {
    AlreadySubscribed: ("already_subscribed", _("You have subscribed already: change the plan instead.")),
    NoCustomer: ("no_subscription", _("There is no subscription.")),
    NoSubscription: ("no_subscription", _("There is no subscription.")),
    NotChangeable: ("not_changeable", _("The subscription cannot go to this plan as it stands.")),
}
DECLINED = _("Your bank has declined the payment. Nothing has changed.")
UNAVAILABLE = _("The payment service does not answer. Please try again in a few minutes.")


class Declined(Conflict):
    """The bank says no: 402."""

    status_code = status.HTTP_402_PAYMENT_REQUIRED


@contextmanager
def told_to_programs() -> Iterator[None]:
    """What the services refuse in here becomes an answer of the API."""
    try:
        yield
    except tuple(CONFLICTS) as refusal:
        raise Conflict(*CONFLICTS[type(refusal)]) from refusal
    except NotNow as refusal:
        raise Conflict("not_now", str(refusal)) from refusal
    except (GatewayRefused, GatewayUnavailable) as trouble:
        if isinstance(trouble, GatewayRefused) and trouble.is_declined:
            raise Declined("declined", DECLINED) from trouble
        log.warning("subscription.unavailable", error=str(trouble))
        raise Unavailable("stripe_unavailable", UNAVAILABLE) from trouble
