"""`make run`: a whole development installation in one terminal, made, started, watched and stopped."""


class CannotRun(Exception):
    """The installation cannot start or go on; the message says why in one sentence."""
