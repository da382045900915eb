"""What Stripe could not make an event of: Stripe is asked about the object itself, and what is ours is put right.

https://docs.stripe.com/webhooks/handle-irrecoverable-events
"""

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from payments.effects.deliver import Skip, delivers
from payments.effects.models import Effect
from payments.ledger.read_event import account_of, named_by
from payments.processing.process import LOOK_UP_KIND
from payments.resync.resync import ResyncOptions
from payments.resync.unknown import NOWHERE, UnknownName, asked_of_stripe, resync_called
from payments.stripe_api import lookups
from payments.stripe_api.lookups import ThrottledStripe
from payments.stripe_api.snapshots.reading import find_text

log = structlog.get_logger(__name__)
SOURCE = "an event that Stripe could not make"
NOT_OURS = Skip(gettext_noop("What it names is none of ours, or not known at Stripe."))


@delivers(LOOK_UP_KIND, repeatable=True, words=gettext_lazy("Stripe is asked about what it could not tell"))
def look_up_untold(effect: Effect) -> Skip | None:
    """Raises as resync does: then it is tried again, and at last staff are asked."""
    # Mails wait behind it: where Stripe has no time it is put off instead.
    options = ResyncOptions(at=timezone.now(), by=SOURCE, stripe=ThrottledStripe())
    try:
        name = effect.data["object"] or _named_at_stripe(effect.data["event"], options)
        done = resync_called(name, options=options)
    except UnknownName as why:
        log.info("untold.not_ours", object=effect.data["object"], reason=str(why))
        return NOT_OURS
    changes = sum(len(each.changes) for each in done)
    log.warning("untold.looked_up", object=name, subjects=[each.subject for each in done], changes=changes)
    return None


def _named_at_stripe(event: str, options: ResyncOptions) -> str:
    """What the whole event names; its delivery may have left that out. Raises UnknownName."""
    whole = asked_of_stripe(lookups.look_up_thin_event, event, options)
    if account_of(whole) not in (None, "", settings.STRIPE_ACCOUNT):
        raise UnknownName("it is of another Stripe account")
    if name := find_text(named_by(whole), "id"):
        return name
    raise UnknownName(NOWHERE)
