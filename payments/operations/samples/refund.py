"""A sample refund; it carries no metadata of ours, as in real life."""

from payments.operations.samples.story import Json, Story

USUAL: Json = {
    "object": "refund",
    "metadata": {},
    "reason": "requested_by_customer",
    "receipt_number": None,
    "source_transfer_reversal": None,
    "transfer_reversal": None,
}
CURRENT: Json = {"customer_account": None, "payment_method": None, "presentment_details": None}


def refund(story: Story, *, usual_status: str = "succeeded") -> Json:
    """The refund as it stands with the status asked for."""
    status = story.variation.status or usual_status
    failure = {"failure_reason": "expired_or_canceled_card"} if status == "failed" else {}
    return {
        **USUAL,
        **story.by_shape(old={}, current=CURRENT),
        **failure,
        "id": story.refund,
        "amount": story.amount,
        "balance_transaction": story.refund.replace("re_", "txn_", 1),
        "charge": story.charge,
        "created": story.now(),
        "currency": story.subject.currency,
        "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        "payment_intent": story.payment_intent,
        "status": status,
    }


def failed_refund(story: Story) -> Json:
    """The money came back to us."""
    return refund(story, usual_status="failed")
