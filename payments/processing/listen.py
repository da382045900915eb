"""Hears the bell: a PostgreSQL connection of its own that LISTENs, for as long as its owner wants to wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as default_connection
from psycopg.conninfo import conninfo_to_dict

from payments.bell import CHANNEL
from payments.stopping import ShouldStop

# How long a stop may go unnoticed.
GLANCE_SECONDS = 0.25
# A connection that died without a word (a cut cable, a firewall that forgot it) is noticed within half a minute.
PATIENCE = {
    "application_name": "payments-listener",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


@contextmanager
def listening() -> Iterator[psycopg.Connection[Any]]:
    """A connection that hears every ring from now on. Raises psycopg.Error."""
    with psycopg.connect(**_parameters(), autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        yield connection


def has_rung(connection: psycopg.Connection[Any], *, within: float, should_stop: ShouldStop) -> bool:
    """Wait for the bell; however often it has rung, that is one answer. False: `within` seconds are over, or stop."""
    deadline = monotonic() + within
    while not should_stop() and monotonic() < deadline:
        if list(connection.notifies(timeout=GLANCE_SECONDS, stop_after=1)):
            return True
    return False


def _parameters() -> dict[str, Any]:
    """Where to listen: past the pooler if there is one, since a pooled connection hears nothing."""
    if settings.DATABASE_LISTEN_URL:
        where = conninfo_to_dict(settings.DATABASE_LISTEN_URL)
    else:
        where = default_connection.get_connection_params()
    return {**PATIENCE, **where}
