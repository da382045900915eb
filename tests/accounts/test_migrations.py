from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection

CREATE = import_module("accounts.migrations.0003_counters_table").CREATE


@pytest.mark.django_db
class TestCountersTable:
    def test_is_what_django_would_make(self, capsys):
        with connection.cursor() as cursor:
            ours = connection.introspection.get_table_description(cursor, "cache_entry")
            cursor.execute("DROP TABLE cache_entry")
            call_command("createcachetable", verbosity=0)
            theirs = connection.introspection.get_table_description(cursor, "cache_entry")

        assert ours == theirs

    def test_leaves_alone_what_is_there(self):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO cache_entry VALUES ('kept', '1', now())")

            cursor.execute(CREATE)

            cursor.execute("SELECT cache_key FROM cache_entry")
            assert cursor.fetchall() == [("kept",)]
