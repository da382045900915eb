"""What Stripe and the bank want to see, by the reason of a dispute: https://docs.stripe.com/disputes/reason-codes-defense-requirements

The names in brackets are those of the fields of Stripe's form: https://docs.stripe.com/api/disputes/evidence_object
"""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

# Where in the pack it is found; what nobody here can know is added by hand.
FACTS, RECEIPT, ACCESS, MAILS, BY_HAND = "facts", "receipt", "access", "mails", ""
IN_PACK = frozenset({FACTS, RECEIPT, ACCESS, MAILS})
OWN_CARD = _(
    "That the buyer was the owner of the card: the address they gave, an account of theirs, earlier purchases."
)
TWO_PURCHASES = _(
    "The other payment, and why the two are not the same (duplicate_charge_id, duplicate_charge_explanation)."
)
ALWAYS = (
    (
        FACTS,
        _("What was sold, in one sentence, and to whom (product_description, customer_name, customer_email_address)."),
    ),
    (RECEIPT, _("The receipt (receipt): receipt.html.")),
)
BY_REASON = {
    "fraudulent": (
        (
            FACTS,
            OWN_CARD,
        ),
        (ACCESS, _("That what was bought was used (access_activity_log): access.html.")),
        (MAILS, _("What you wrote to each other (customer_communication): mails.html.")),
    ),
    "unrecognized": (
        (RECEIPT, _("What tells the buyer what they paid for: the name of what was sold, and the receipt.")),
        (MAILS, _("What you wrote to each other (customer_communication): mails.html.")),
        (ACCESS, _("That what was bought was used (access_activity_log): access.html.")),
    ),
    "product_not_received": (
        (ACCESS, _("That it was delivered, and when (service_date, service_documentation): access.html.")),
        (MAILS, _("The confirmation that was sent (customer_communication): mails.html.")),
        (BY_HAND, _("If it is still to come: the date that was agreed on.")),
    ),
    "product_unacceptable": (
        (
            BY_HAND,
            _("How it was described before it was bought, and that it was delivered so (service_documentation)."),
        ),
        (MAILS, _("What was done about the complaint (customer_communication): mails.html.")),
        (BY_HAND, _("Your rules for refunds, and where the buyer saw them (refund_policy, refund_policy_disclosure).")),
    ),
    "duplicate": (
        (
            BY_HAND,
            TWO_PURCHASES,
        ),
        (BY_HAND, _("Both receipts (duplicate_charge_documentation).")),
        (FACTS, _("If it was the same twice and one has been given back: that refund; see facts.json.")),
    ),
    "credit_not_processed": (
        (BY_HAND, _("That nothing was to be given back, by your rules (refund_policy, refund_refusal_explanation).")),
        (FACTS, _("Or that it has been given back: the refund with its date; see facts.json.")),
        (MAILS, _("What you wrote to each other (customer_communication): mails.html.")),
    ),
    "subscription_canceled": (
        (
            FACTS,
            _("When the end was asked for, if ever, and that this payment was due before (cancellation_rebuttal)."),
        ),
        (BY_HAND, _("Your rules for ending a subscription, and where the buyer saw them (cancellation_policy).")),
        (ACCESS, _("That it was used after the alleged end (access_activity_log): access.html.")),
    ),
}
OTHERWISE = (
    (
        FACTS,
        _("Whatever shows that the payment was rightful: timeline.html, access.html, mails.html (uncategorized_file)."),
    ),
)


def requirements_for(reason: str) -> list[str]:
    """What to hand in for this reason, the most telling last."""
    return [str(sentence) for _place, sentence in (*ALWAYS, *BY_REASON.get(reason, OTHERWISE))]


def still_missing(reason: str, *, at_hand: Collection[str]) -> list[str]:
    """What of that is in none of the parts of the pack that have something to show (`at_hand`)."""
    wanted = (*ALWAYS, *BY_REASON.get(reason, OTHERWISE))
    return [str(sentence) for place, sentence in wanted if place == BY_HAND or place not in at_hand]
