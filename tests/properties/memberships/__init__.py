"""Life stories of subscriptions, lived at the Stripe emulator: what it tells about them, and how each must end.

Every end is written by hand, from what Stripe documents and docs/adr/0009-subscriptions.md says.
"""

from tests.properties.memberships import beginnings, changes, company, money_back, renewals, trials
from tests.properties.memberships.picture import everything, other_orders, picture
from tests.properties.memberships.story import Membership, events_of

STORIES = (
    *beginnings.STORIES, *trials.STORIES, *renewals.STORIES, *changes.STORIES, *money_back.STORIES, *company.STORIES,
)  # fmt: skip

__all__ = ["STORIES", "Membership", "events_of", "everything", "other_orders", "picture"]
