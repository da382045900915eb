"""What can be done with registrations, one file each."""

from registrations.services.register import HOLD, ActivityFull, AlreadyRegistered, SalesClosed, register
from registrations.services.seat import seat_waiting

__all__ = ["HOLD", "ActivityFull", "AlreadyRegistered", "SalesClosed", "register", "seat_waiting"]
