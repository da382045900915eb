"""For a worker that wakes up when the bell rings and at no other time: what it does soon, it has been told."""

from config.settings_test import *  # noqa: F403

SWEEP_SECONDS = 24 * 3600
