from django.db import migrations

from accounts.respelling import respell


def write_in_one_spelling(apps, schema_editor):
    for name in ("User",):
        respell(apps.get_model("accounts", name))


class Migration(migrations.Migration):
    """What an address stands for was found before it was written in one spelling (accounts/respelling.py)."""

    # Each row by itself: what cannot be written stays, and holds up nothing.
    atomic = False
    dependencies = [("accounts", "0004_rights")]

    operations = [migrations.RunPython(write_in_one_spelling, migrations.RunPython.noop, elidable=True)]
