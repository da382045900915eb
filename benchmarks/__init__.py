"""Benchmarks: no tests. Importing the package sets Django up on the database that DATABASE_URL names."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
django.setup()
