"""The same key gives the same answer: https://docs.stripe.com/api/idempotent_requests"""

import hashlib
import json
from dataclasses import dataclass

from django.db import connection

from stripe_emulator.errors import Json, StripeRefusal
from stripe_emulator.models import KeptAnswer

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Key:
    """A key and a hash of what it was used for."""

    key: str
    fingerprint: str

    @classmethod
    def of(cls, key: str, *, method: str, path: str, params: Json) -> "Key":
        """Raises StripeRefusal for a key that is too long."""
        if len(key) > LONGEST_KEY:
            raise StripeRefusal(f"Idempotency keys have at most {LONGEST_KEY} characters.", type="idempotency_error")
        told = json.dumps([method, path, params], sort_keys=True)
        return cls(key, hashlib.sha256(told.encode()).hexdigest())

    def find_answer(self) -> KeptAnswer | None:
        """What was answered before. Holds the key until the end of the transaction.

        Raises StripeRefusal: 409 while another call with the key is under way, 400 for other parameters.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [self.key])
            (is_ours,) = cursor.fetchone()
        if not is_ours:
            message = "There is currently another in-progress request using this Stripe-Idempotency-Key"
            raise StripeRefusal(message, code="idempotency_key_in_use", status=409)
        kept = KeptAnswer.objects.filter(key=self.key).first()
        if kept and kept.fingerprint != self.fingerprint:
            message = "Keys for idempotent requests can only be used with the same parameters they were first used with"
            raise StripeRefusal(f"{message} ('{self.key}').", type="idempotency_error")
        return kept

    def keep(self, *, status: int, body: Json, request_id: str) -> None:
        """Answer so from now on."""
        KeptAnswer.objects.create(
            key=self.key, fingerprint=self.fingerprint, status=status, body=body, request_id=request_id
        )
