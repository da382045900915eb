"""The addresses that the mails about an account lead to."""

from django.conf import settings
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.models import User
from accounts.tokens import link_tokens


def password_url(user: User) -> str:
    """Where the password is chosen, which also confirms the address: a secret between us and that mailbox."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return f"{settings.SITE_URL}{reverse('choose-password', args=[uid, link_tokens.make_token(user)])}"


def sign_up_url() -> str:
    """Where an account is made."""
    return f"{settings.SITE_URL}{reverse('sign-up')}"
