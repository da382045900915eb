"""Metadata as Stripe merges it: https://docs.stripe.com/api/metadata"""

from typing import Any

from stripe_emulator.errors import Json, StripeRefusal

MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


def merged(before: Json, given: Any) -> Json:
    """What is there after a call: keys are set one by one, an empty value removes one, "" removes all.

    Raises StripeRefusal beyond Stripe's limits.
    """
    if given is None:
        return before
    if given == "":
        return {}
    after = {key: value for key, value in {**before, **given}.items() if value != ""}
    if len(after) > MOST_KEYS:
        raise StripeRefusal(f"Metadata can have up to {MOST_KEYS} keys; there would be {len(after)}.", param="metadata")
    for key, value in after.items():
        if len(key) > LONGEST_KEY:
            raise StripeRefusal(f"Metadata keys can have up to {LONGEST_KEY} characters: {key}", param="metadata")
        if not isinstance(value, str) or len(value) > LONGEST_VALUE:
            raise StripeRefusal(
                f"Metadata values can have up to {LONGEST_VALUE} characters: {key}", param=f"metadata[{key}]"
            )
    return after
