from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0010_erasure_asked_for")]

    operations = [
        AddIndexConcurrently(
            model_name="user",
            index=models.Index(
                condition=models.Q(("erasure_asked_at__isnull", False)), fields=["erasure_asked_at"],
                name="user_to_be_erased",
            ),
        ),
    ]
