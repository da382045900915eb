"""The table of the database cache, in which the limits are counted where there is no Redis (config/counters.py).

It may be there already: `createcachetable` has made it in older installations. The columns are Django's.
"""

from django.db import migrations

CREATE = """
    CREATE TABLE IF NOT EXISTS cache_entry (
        cache_key varchar(255) NOT NULL PRIMARY KEY, value text NOT NULL, expires timestamp with time zone NOT NULL
    );
    CREATE INDEX IF NOT EXISTS cache_entry_expires ON cache_entry (expires);
"""


class Migration(migrations.Migration):

    dependencies = [("accounts", "0002_people_by_parts")]

    operations = [migrations.RunSQL(CREATE, "DROP TABLE IF EXISTS cache_entry")]
