"""Every reason for which a delivery is not taken: the `code` of the answer and of the log line."""

from enum import StrEnum


class RefusalCode(StrEnum):
    """The lower rooms (payments.stripe_api.signature, payments.ledger.read_event) use the same words."""

    # Who brings it.
    MISSING_SIGNATURE = "missing_signature"
    INVALID_SIGNATURE = "invalid_signature"
    TIMESTAMP_TOO_OLD = "timestamp_too_old"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    # How it arrives.
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    LENGTH_REQUIRED = "length_required"
    BAD_CONTENT_LENGTH = "bad_content_length"
    INCOMPLETE_BODY = "incomplete_body"
    UNREADABLE_BODY = "unreadable_body"
    # What it says.
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    NOT_AN_OBJECT = "not_an_object"
    THIN_EVENT = "thin_event"
    NOT_AN_EVENT = "not_an_event"
    INVALID_EVENT = "invalid_event"
    # What is missing here: Stripe brings it again.
    NO_WEBHOOK_SECRET = "no_webhook_secret"
    NOT_STORED = "not_stored"
