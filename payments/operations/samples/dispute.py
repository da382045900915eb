"""A sample dispute; it carries no metadata of ours, as in real life."""

from payments.operations.samples.story import Json, Story

USUAL: Json = {
    "object": "dispute",
    "balance_transactions": [],
    "evidence": {"customer_email_address": None, "customer_name": None, "uncategorized_text": None},
    "metadata": {},
    "network_reason_code": "10.4",
    "payment_method_details": {"card": {"brand": "visa", "network_reason_code": "10.4"}, "type": "card"},
    "reason": "fraudulent",
}
CURRENT: Json = {"enhanced_eligibility_types": []}
ANSWERABLE = ("needs_response", "warning_needs_response", "appeal_needs_response")
WEEK = 7 * 24 * 3600


def dispute(story: Story, *, usual_status: str) -> Json:
    """The dispute as it stands with the status asked for."""
    status = story.variation.status or usual_status
    return {
        **USUAL,
        **story.by_shape(old={}, current=CURRENT),
        "id": story.dispute,
        "amount": story.amount,
        "charge": story.charge,
        "created": story.now(),
        "currency": story.subject.currency,
        "evidence_details": {
            "due_by": story.now() + WEEK if status in ANSWERABLE else None,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": story.subject.livemode,
        "payment_intent": story.payment_intent,
        "status": status,
    }
