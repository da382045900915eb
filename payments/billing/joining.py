"""What somebody pays for joins their account, once the address is known to be theirs."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import OuterRef, Subquery

from accounts.joining import joins
from accounts.models import User
from payments.billing.subscriptions import Customer


@joins
def join_customers(user: User, at: datetime) -> None:
    """Customers with the person's address become theirs."""
    Customer.objects.filter(email=user.email, user__isnull=True).update(user=user)


def join_confirmed(customer_ids: Collection[int]) -> None:
    """The other way round: these customers, whose address was told just now, find the account that it belongs to."""
    if not customer_ids:
        return
    confirmed = User.objects.filter(email=OuterRef("email"), email_confirmed_at__isnull=False, is_active=True)
    lonely = Customer.objects.filter(pk__in=customer_ids, user__isnull=True).exclude(email="")
    lonely.update(user=Subquery(confirmed.values("pk")[:1]))
