from django.db import migrations

from registrations.details import folded


def write_words(apps, _editor):
    """Activities from before are found as well; there are few, and no text in another language yet."""
    Activity = apps.get_model("registrations", "Activity")
    for row in Activity.objects.filter(search_text="").only("title", "place").iterator():
        Activity.objects.filter(pk=row.pk).update(search_text=folded(f"{row.title} {row.place}"))


class Migration(migrations.Migration):
    dependencies = [("registrations", "0007_details_of_activities")]

    operations = [migrations.RunPython(write_words, migrations.RunPython.noop, elidable=True)]
