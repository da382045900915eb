"""The one-time code in the link of a mail: who has it may choose the password of the account."""

from typing import Any

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from accounts.models import User

# The logs know secrets by this word (config/redact.py), so they mask the code wherever somebody writes the address.
MARK = "_secret_"


class LinkTokens(PasswordResetTokenGenerator):
    """Good for PASSWORD_RESET_TIMEOUT seconds and for one password; spent by a sign-in or another address, too."""

    key_salt = "accounts.link"

    def make_token(self, user: User) -> str:
        return super().make_token(user).replace("-", MARK)

    def check_token(self, user: User | None, token: str | None) -> bool:
        return super().check_token(user, (token or "").replace(MARK, "-"))

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.email_confirmed_at}{user.is_active}"


link_tokens = LinkTokens()
