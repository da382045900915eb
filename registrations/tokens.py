"""The address by which a person reaches their own registration: whoever has the link may see it and pay."""

from django.core import signing

from registrations.models import Registration

SALT = "registrations.link"


def token_of(registration: Registration) -> str:
    """The same for ever; tells nothing but an id, and cannot be guessed or made by others."""
    return signing.Signer(salt=SALT).sign(str(registration.public_id))


def find_by_token(token: str) -> Registration | None:
    """The registration with its order and activity; None for a token that is not ours."""
    try:
        public_id = signing.Signer(salt=SALT).unsign(token)
    except signing.BadSignature:
        return None
    return Registration.objects.select_related("order", "activity").filter(public_id=public_id).first()
