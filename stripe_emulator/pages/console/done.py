"""What the console says after an action; its address carries only the code."""

from django.utils.translation import gettext_lazy as _

DONE = {
    "session.pay": _("The session is paid."),
    "session.decline": _("The card was declined; the session stays open."),
    "session.expire": _("The session has expired."),
    "payment.settle": _("The debit has succeeded."),
    "payment.bounce": _("The debit has failed."),
    "payment.authenticate": _("3-D Secure was passed."),
    "payment.reject": _("3-D Secure has failed."),
    "payment.refund": _("The refund is made."),
    "payment.dispute": _("The dispute is open."),
    "dispute.win": _("The dispute is won."),
    "dispute.lose": _("The dispute is lost."),
    "subscription.cancel": _("The subscription is canceled."),
    "subscription.end": _("The subscription ends with its period."),
    "subscription.keep": _("The subscription goes on after its period."),
    "subscription.fail": _("Renewals will fail from now on."),
    "subscription.succeed": _("Renewals will succeed from now on."),
    "invoice.pay": _("The invoice is paid."),
    "event.send": _("The event is on its way again."),
    "delivery.send": _("The event is on its way again."),
    "deliveries.send": _("Everything undelivered is on its way again."),
    "endpoint.disable": _("The endpoint is disabled: nothing is sent there."),
    "endpoint.enable": _("The endpoint is enabled."),
    "clock.advance": _("The time has passed, and what fell due meanwhile is done."),
    "chaos.save": _("The chaos settings are saved."),
    "chaos.preset": _("The chaos settings are saved."),
}
