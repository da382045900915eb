from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='checkoutattempt',
            name='params',
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
    ]
