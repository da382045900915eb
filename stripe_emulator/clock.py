"""The emulator's time. All moments are Unix times in whole seconds, as Stripe writes them.

The emulator's clock is the real one plus all that was advanced. An object lives in a time of its own: the real
one plus what was advanced since its birth. So the product, whose clock is real, and a new session agree about
"now", however far subscriptions were advanced before.
"""

import time

from stripe_emulator.models import Emulation, StoredObject


def real_now() -> int:
    """The time of day."""
    return int(time.time())


def ahead() -> int:
    """How far the emulator's clock is ahead of the real one, in seconds."""
    return Emulation.current().ahead


def emulated_now() -> int:
    """The emulator's clock, by which timers and deliveries become due."""
    return real_now() + ahead()


def now_for(stored: StoredObject) -> int:
    """What time it is in the life of this object."""
    return emulated_now() - stored.ahead
