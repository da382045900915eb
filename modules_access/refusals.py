"""Why a token lets nobody in: one word for programs and one sentence for people each."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    # Told by the token alone.
    "token_malformed": _("This is no token of ours: it cannot be read."),
    "token_unsigned": _("The token is not signed."),
    "token_algorithm": _("The token is not signed in the one way that is accepted here."),
    "token_key": _("The token names a key that is not known here (any more), or not the one that has signed it."),
    "token_forged": _("The signature of the token is wrong: it was forged or changed."),
    "token_issuer": _("The token was issued by somebody else."),
    "token_audience": _("The token is for another module."),
    "token_not_yet": _("The token is not valid yet."),
    "token_expired": _("The token has expired."),
    # Told by what is kept here.
    "token_unknown": _("There is no such token (any more)."),
    "token_revoked": _("The token is revoked."),
    "token_used_up": _("The token has been used as often as it may be."),
    "user_inactive": _("The account of this person is closed."),
    "access_missing": _("The access that belongs to this token is missing: we have to repair that."),
    "access_ended": _("The access has ended."),
    "access_expired": _("The access has expired."),
}
