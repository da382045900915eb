import accounts.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('payments', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Activity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True, verbose_name='address')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('starts_at', models.DateTimeField(verbose_name='starts')),
                ('place', models.CharField(blank=True, max_length=200, verbose_name='where')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('price', models.PositiveBigIntegerField(help_text='In the smallest unit: 4900 is 49.00 EUR.', verbose_name='price')),
                ('currency', models.CharField(default='eur', max_length=3, validators=[django.core.validators.MinLengthValidator(3)], verbose_name='currency')),
                ('capacity', models.PositiveIntegerField(verbose_name='places')),
                ('places_taken', models.PositiveIntegerField(default=0, editable=False, verbose_name='places taken')),
                ('late_money', models.CharField(choices=[('ask', 'Ask staff'), ('refund', 'Refund automatically')], default='ask', max_length=10, verbose_name='late money')),
                ('is_on_sale', models.BooleanField(default=True, verbose_name='on sale')),
                ('called_off_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='called off')),
                ('called_off_reason', models.CharField(blank=True, editable=False, max_length=500, verbose_name='called off because')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
            options={
                'verbose_name': 'activity',
                'verbose_name_plural': 'activities',
                'constraints': [models.CheckConstraint(condition=models.Q(('places_taken__lte', models.F('capacity'))), name='activity_never_oversold')],
            },
        ),
        migrations.CreateModel(
            name='Registration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='public id')),
                ('external_id', models.CharField(blank=True, max_length=255, null=True, unique=True, verbose_name='id in the old system')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('email', accounts.fields.LowercaseEmailField(max_length=254, verbose_name='e-mail')),
                ('language', models.CharField(choices=[('fr', 'French'), ('en', 'English')], max_length=7, verbose_name='language')),
                ('status', models.CharField(choices=[('PENDING', 'Waiting for payment'), ('ACTION_REQUIRED', 'Buyer must act'), ('PROCESSING', 'Payment under way'), ('FAILED', 'Failed'), ('EXPIRED', 'Expired'), ('CANCELED', 'Canceled'), ('PAID', 'Paid'), ('REFUNDED', 'Refunded')], default='PENDING', max_length=20, verbose_name='status')),
                ('holds_place', models.BooleanField(default=False, verbose_name='holds a place')),
                ('waits_since', models.DateTimeField(blank=True, null=True, verbose_name='paid, waits for a place since')),
                ('times_waited', models.PositiveSmallIntegerField(default=0, verbose_name='times it waited for a place')),
                ('held_until', models.DateTimeField(blank=True, null=True, verbose_name='place held until')),
                ('given_up_at', models.DateTimeField(blank=True, null=True, verbose_name='place given up')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('activity', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='registrations', to='registrations.activity', verbose_name='activity')),
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='registration', to='payments.order', verbose_name='order')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='registrations', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'registration',
                'verbose_name_plural': 'registrations',
                'indexes': [models.Index(condition=models.Q(('waits_since__isnull', False)), fields=['activity', 'waits_since'], name='registration_waits'), models.Index(fields=['email'], name='registration_email'), models.Index(fields=['activity', 'status'], name='registration_activity_status')],
                'constraints': [models.UniqueConstraint(models.F('activity'), django.db.models.functions.text.Lower('email'), django.db.models.functions.text.Lower('name'), condition=models.Q(('holds_place', True)), name='one_place_a_person'), models.CheckConstraint(condition=models.Q(('holds_place', False), ('waits_since__isnull', True), _connector='OR'), name='who_waits_holds_no_place'), models.CheckConstraint(condition=models.Q(('given_up_at__isnull', True), ('waits_since__isnull', True), _connector='OR'), name='who_gave_up_does_not_wait')],
            },
        ),
        migrations.CreateModel(
            name='WaitingEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('email', accounts.fields.LowercaseEmailField(max_length=254, verbose_name='e-mail')),
                ('language', models.CharField(choices=[('fr', 'French'), ('en', 'English')], max_length=7, verbose_name='language')),
                ('created_at', models.DateTimeField(verbose_name='since')),
                ('activity', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='waiting', to='registrations.activity', verbose_name='activity')),
                ('offered', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='waited', to='registrations.registration', verbose_name='offer')),
            ],
            options={
                'verbose_name': 'waiting person',
                'verbose_name_plural': 'waiting list',
                'indexes': [models.Index(condition=models.Q(('offered__isnull', True)), fields=['activity', 'created_at'], name='waiting_next')],
                'constraints': [models.UniqueConstraint(models.F('activity'), django.db.models.functions.text.Lower('email'), django.db.models.functions.text.Lower('name'), condition=models.Q(('offered__isnull', True)), name='waits_once')],
            },
        ),
    ]
