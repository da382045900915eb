"""The counters where they lie in Redis: loaded only with REDIS_URL, since its client is a tenth of a start-up."""

from datetime import timedelta
from functools import cache

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.counters import Count, CountersDown

# Counting must never cost a buyer more than this; the library alone would wait for five seconds, several times.
REDIS_SECONDS = 0.5


def count(url: str, key: str, *, window: timedelta) -> Count:
    """Count once more under this key, by the clock of Redis. Raises CountersDown."""
    # Held to the end: two threads may each make a client, and the one that is let go closes its connections.
    client = _redis(url)
    together = client.pipeline(transaction=True)
    together.set(key, 0, px=window, nx=True)
    together.incr(key)
    together.pttl(key)
    try:
        _, number, milliseconds = together.execute()
    except RedisError as error:
        raise CountersDown(type(error).__name__) from error
    return Count(number, timedelta(milliseconds=milliseconds))


@cache
def _redis(url: str) -> Redis:
    timeouts = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    return Redis.from_url(url, retry=Retry(NoBackoff(), 0), **timeouts)
