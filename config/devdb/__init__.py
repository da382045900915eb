"""A PostgreSQL server of our own where DATABASE_URL names none: one that lasts, and one for each test run."""


class DatabaseUnavailable(Exception):
    """No server could be started; the message says why and what repairs it."""
