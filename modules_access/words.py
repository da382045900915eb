"""How staff read what accesses write into the history of orders and subscriptions."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from modules_access.models import AccessEnd, AccessType
from modules_access.purchasable import ACTIVE, HISTORY, OPENED, history_value
from payments.orders.labels import Word, register_words

STATES: dict[str, Word] = {
    ACTIVE: pgettext_lazy("access", "active"),
    **{str(end): label for end, label in AccessEnd.choices if end},
}
VALUES: dict[str, tuple[Word, ...]] = {
    history_value(kind, state): (label, word) for kind, label in AccessType.choices for state, word in STATES.items()
}

register_words(names={HISTORY: _("access"), OPENED: _("modules open")}, values=VALUES)
