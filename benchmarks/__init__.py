"""Benchmarks: no tests. Importing the package sets Django up on the database that DATABASE_URL names."""

import os
from argparse import ArgumentParser

import django

from config.command_line import at_least_one

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
django.setup()


def how_many(name: str, *, default: int) -> int:
    """The one number that a benchmark takes, from its command line."""
    parser = ArgumentParser()
    parser.add_argument("count", metavar=name, nargs="?", type=at_least_one, default=default, help="(%(default)s)")
    return int(parser.parse_args().count)
