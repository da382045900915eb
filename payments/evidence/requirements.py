"""What Stripe and the bank want to see, by the reason of a dispute: https://docs.stripe.com/disputes/reason-codes-defense-requirements

The names in brackets are those of the fields of Stripe's form: https://docs.stripe.com/api/disputes/evidence_object
"""

from django.utils.translation import gettext_lazy as _

ALWAYS = (
    _("What was sold, in one sentence, and to whom (product_description, customer_name, customer_email_address)."),
    _("The receipt (receipt): receipt.html."),
)
BY_REASON = {
    "fraudulent": (
        _("That the buyer was the owner of the card: the address they gave, an account of theirs, earlier purchases."),
        _("That what was bought was used (access_activity_log): access.html."),
        _("What you wrote to each other (customer_communication): mails.html."),
    ),
    "unrecognized": (
        _("What tells the buyer what they paid for: the name of what was sold, and the receipt."),
        _("What you wrote to each other (customer_communication): mails.html."),
        _("That what was bought was used (access_activity_log): access.html."),
    ),
    "product_not_received": (
        _("That it was delivered, and when (service_date, service_documentation): access.html."),
        _("The confirmation that was sent (customer_communication): mails.html."),
        _("If it is still to come: the date that was agreed on."),
    ),
    "product_unacceptable": (
        _("How it was described before it was bought, and that it was delivered so (service_documentation)."),
        _("What was done about the complaint (customer_communication): mails.html."),
        _("Your rules for refunds, and where the buyer saw them (refund_policy, refund_policy_disclosure)."),
    ),
    "duplicate": (
        _("The other payment, and why the two are not the same (duplicate_charge_id, duplicate_charge_explanation)."),
        _("Both receipts (duplicate_charge_documentation)."),
        _("If it was the same twice and one has been given back: that refund; see facts.json."),
    ),
    "credit_not_processed": (
        _("That nothing was to be given back, by your rules (refund_policy, refund_refusal_explanation)."),
        _("Or that it has been given back: the refund with its date; see facts.json."),
        _("What you wrote to each other (customer_communication): mails.html."),
    ),
    "subscription_canceled": (
        _("When the end was asked for, if ever, and that this payment was due before (cancellation_rebuttal)."),
        _("Your rules for ending a subscription, and where the buyer saw them (cancellation_policy)."),
        _("That it was used after the alleged end (access_activity_log): access.html."),
    ),
}
OTHERWISE = (
    _("Whatever shows that the payment was rightful: timeline.html, access.html, mails.html (uncategorized_file)."),
)


def requirements_for(reason: str) -> list[str]:
    """What to hand in for this reason, the most telling last."""
    return [str(sentence) for sentence in (*ALWAYS, *BY_REASON.get(reason, OTHERWISE))]
