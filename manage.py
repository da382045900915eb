#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from config.command_line import manage

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    manage(sys.argv)
