"""People who want to be erased: whoever may do it finds the button on their page."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.personal import shown_name
from payments.todo.sources import TodoItem, needs_a_person


def to_be_erased(at: datetime) -> QuerySet[User]:
    """Who has asked first comes first."""
    return User.objects.filter(erasure_asked_at__isnull=False).order_by("erasure_asked_at")


@needs_a_person(
    "erasure", title=gettext_lazy("People who want to be erased"), rows=to_be_erased, tells_of=("accounts.user",),
)  # fmt: skip
def erasures(rows: Sequence[User], *, at: datetime) -> Iterator[TodoItem]:
    for row in rows:
        sentence = _("%(name)s wants to be erased.") % {"name": shown_name(row.get_full_name())}
        yield TodoItem(sentence, row.erasure_asked_at or at, row, acts=("erase_person_action",))
