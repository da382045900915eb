from django.db import migrations

from accounts.respelling import respell


def write_in_one_spelling(apps, schema_editor):
    for name in ("Registration", "WaitingEntry"):
        respell(apps.get_model("registrations", name))


class Migration(migrations.Migration):
    """What an address stands for was found before it was written in one spelling (accounts/respelling.py)."""

    # Each row by itself: what cannot be written stays, and holds up nothing.
    atomic = False
    dependencies = [("registrations", "0004_address_proven")]

    operations = [migrations.RunPython(write_in_one_spelling, migrations.RunPython.noop, elidable=True)]
