"""What an activity cannot become: smaller than the places taken, or on sale after it was called off."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registrations.models import Activity


class NotPossible(ValueError):
    """The activity stays as it is; the text says why."""


def require_capacity(*, activity: Activity, capacity: int) -> None:
    """Raise NotPossible for fewer places than are taken.

    In the transaction that saves it: the row is locked until then, so that nobody takes a place in between.
    """
    taken = Activity.objects.select_for_update(no_key=True).get(pk=activity.pk).places_taken
    if capacity < taken:
        words = ngettext(
            "%(taken)d place is taken: there cannot be fewer.",
            "%(taken)d places are taken: there cannot be fewer.",
            taken,
        )
        raise NotPossible(words % {"taken": taken})


def require_sellable(*, activity: Activity) -> None:
    """Raise NotPossible for one that was called off."""
    if activity.called_off_at:
        raise NotPossible(_("This activity is called off: it cannot be sold again."))
