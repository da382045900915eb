import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
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
            name='Module',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='Its name in addresses, and in its tokens.', unique=True, verbose_name='address')),
                ('title', models.CharField(max_length=200, verbose_name='title')),
                ('summary', models.CharField(blank=True, max_length=300, verbose_name='in one sentence')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('price', models.PositiveBigIntegerField(help_text='In the smallest unit: 4900 is 49.00 EUR; 0 is free.', verbose_name='price')),
                ('currency', models.CharField(default='eur', max_length=3, validators=[django.core.validators.MinLengthValidator(3)], verbose_name='currency')),
                ('access_days', models.PositiveIntegerField(blank=True, help_text='For whoever buys it from now on; empty: without end.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)], verbose_name='days of access')),
                ('url', models.URLField(help_text='People are led there, with a token that it has verified here.', max_length=500, verbose_name='where it is')),
                ('is_on_sale', models.BooleanField(default=True, verbose_name='on sale')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
            ],
            options={
                'verbose_name': 'module',
                'verbose_name_plural': 'modules',
                'ordering': ['position', 'slug'],
                'permissions': [('diagnose_access', 'Can ask why somebody has no access, and repair it')],
            },
        ),
        migrations.CreateModel(
            name='AccessToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('jti', models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name='token')),
                ('access_level', models.CharField(default='standard', max_length=30, verbose_name='level')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('max_usage', models.PositiveIntegerField(default=100, verbose_name='uses allowed')),
                ('used', models.PositiveIntegerField(default=0, verbose_name='times used')),
                ('last_used_at', models.DateTimeField(blank=True, null=True, verbose_name='last used')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('reason', models.CharField(blank=True, max_length=500, verbose_name='reason')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked')),
                ('revoked_by', models.CharField(blank=True, max_length=255, verbose_name='revoked by')),
                ('revoked_reason', models.CharField(blank=True, max_length=500, verbose_name='revoked because')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='access_tokens', to='payments.order', verbose_name='order')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='access_tokens', to=settings.AUTH_USER_MODEL, verbose_name='user')),
                ('module', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tokens', to='modules_access.module', verbose_name='module')),
            ],
            options={
                'verbose_name': 'access token',
                'verbose_name_plural': 'access tokens',
                'db_table': 'access_tokens',
                'permissions': [('revoke_token', 'Can revoke access tokens')],
                'indexes': [models.Index(fields=['user', 'module'], name='token_of_user')],
                'constraints': [models.CheckConstraint(condition=models.Q(('max_usage__gte', 1), ('used__lte', models.F('max_usage'))), name='token_used_at_most'), models.UniqueConstraint(condition=models.Q(('order__isnull', False)), fields=('order',), name='token_once_an_order')],
            },
        ),
        migrations.CreateModel(
            name='ModuleAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access_type', models.CharField(choices=[('purchase', 'Purchase'), ('token', 'Token'), ('subscription', 'Subscription'), ('grant', 'Given by staff')], max_length=20, verbose_name='by')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('ended_reason', models.CharField(blank=True, choices=[('', 'not ended'), ('refunded', 'The money has gone back.'), ('dispute_lost', 'The dispute is lost.'), ('not_paid', 'Its order is not paid.'), ('subscription_ended', 'The subscription gives no access any more.'), ('not_in_plan', 'The plan does not open this module.'), ('token_revoked', 'The token is revoked.'), ('grant_ended', 'What staff had given is taken back.'), ('revoked', 'Taken back by staff.')], default='', max_length=30, verbose_name='why it ended')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='taken back')),
                ('extended_until', models.DateTimeField(blank=True, null=True, verbose_name='extended until')),
                ('used', models.PositiveBigIntegerField(default=0, verbose_name='times used')),
                ('last_used_at', models.DateTimeField(blank=True, null=True, verbose_name='last used')),
                ('created_at', models.DateTimeField(verbose_name='given')),
                ('updated_at', models.DateTimeField(verbose_name='changed')),
                ('metadata', models.JSONField(blank=True, default=dict, verbose_name='details')),
                ('module', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accesses', to='modules_access.module', verbose_name='module')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='module_accesses', to='payments.order', verbose_name='order')),
                ('subscription', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='module_accesses', to='payments.subscription', verbose_name='subscription')),
                ('token', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='access', to='modules_access.accesstoken', verbose_name='token')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='module_accesses', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'access',
                'verbose_name_plural': 'accesses',
                'db_table': 'module_access',
                'permissions': [('grant_access', 'Can give access without a payment'), ('extend_access', 'Can extend an access'), ('revoke_access', 'Can take an access back')],
                'indexes': [models.Index(fields=['user', 'module'], name='access_of_user'), models.Index(fields=['is_active', 'expires_at'], name='access_active'), models.Index(fields=['created_at'], name='access_created'), models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='access_ended')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('access_type', 'purchase'), ('order__isnull', False), ('subscription__isnull', True), ('token__isnull', True)), models.Q(('access_type', 'subscription'), ('order__isnull', True), ('subscription__isnull', False), ('token__isnull', True)), models.Q(('access_type', 'token'), ('order__isnull', True), ('subscription__isnull', True), ('token__isnull', False)), models.Q(('access_type', 'grant'), ('order__isnull', True), ('subscription__isnull', True), ('token__isnull', True)), _connector='OR'), name='access_has_its_source'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_reason', ''), ('is_active', True)), models.Q(('ended_at__isnull', False), ('is_active', False), models.Q(('ended_reason', ''), _negated=True)), _connector='OR'), name='access_ends_with_a_reason'), models.CheckConstraint(condition=models.Q(('revoked_at__isnull', True), ('is_active', False), _connector='OR'), name='access_taken_back_stays_so'), models.UniqueConstraint(condition=models.Q(('order__isnull', False)), fields=('order',), name='access_once_an_order'), models.UniqueConstraint(condition=models.Q(('subscription__isnull', False)), fields=('subscription', 'module'), name='access_once_a_subscription')],
            },
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='grant',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tokens', to='modules_access.moduleaccess', verbose_name='given by staff'),
        ),
        migrations.CreateModel(
            name='PlanOpening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_all', models.BooleanField(default=True, verbose_name='all modules, later ones too')),
                ('modules', models.ManyToManyField(blank=True, help_text='Counts where not all modules are opened.', related_name='openings', to='modules_access.module', verbose_name='modules')),
                ('plan', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='opening', to='payments.plan', verbose_name='plan')),
            ],
            options={
                'verbose_name': 'what a plan opens',
                'verbose_name_plural': 'what plans open',
            },
        ),
        migrations.CreateModel(
            name='Purchase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('access_days', models.PositiveIntegerField(blank=True, null=True, verbose_name='days of access')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('module', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purchases', to='modules_access.module', verbose_name='module')),
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='module_purchase', to='payments.order', verbose_name='order')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='module_purchases', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'purchase',
                'verbose_name_plural': 'purchases',
                'indexes': [models.Index(fields=['user', 'module'], name='purchase_of_user')],
            },
        ),
        migrations.CreateModel(
            name='ServiceKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Which program uses it.', max_length=100, verbose_name='name')),
                ('prefix', models.CharField(editable=False, max_length=16, unique=True, verbose_name='begins with')),
                ('digest', models.CharField(editable=False, max_length=64)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('tokens:generate', 'make tokens'), ('tokens:verify', 'verify tokens'), ('tokens:revoke', 'revoke tokens')], max_length=30), size=None, verbose_name='rights')),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='expires')),
                ('last_used_at', models.DateTimeField(blank=True, null=True, verbose_name='last used')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked')),
                ('revoked_reason', models.CharField(blank=True, max_length=500, verbose_name='revoked because')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
                ('module', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='service_keys', to='modules_access.module', verbose_name='only for the module')),
            ],
            options={
                'verbose_name': 'service key',
                'verbose_name_plural': 'service keys',
            },
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='service_key',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tokens', to='modules_access.servicekey', verbose_name='created with'),
        ),
        migrations.CreateModel(
            name='TokenChecks',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField(verbose_name='hour')),
                ('outcome', models.CharField(max_length=30, verbose_name='outcome')),
                ('slot', models.PositiveSmallIntegerField(default=0)),
                ('number', models.PositiveBigIntegerField(default=0, verbose_name='number')),
                ('micros', models.PositiveBigIntegerField(default=0, verbose_name='time taken')),
                ('buckets', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveBigIntegerField(), default=list, size=None)),
            ],
            options={
                'verbose_name': 'verifications of an hour',
                'verbose_name_plural': 'verifications by the hour',
                'constraints': [models.UniqueConstraint(fields=('hour', 'outcome', 'slot'), name='checks_once_a_slot')],
            },
        ),
        migrations.AddConstraint(
            model_name='accesstoken',
            constraint=models.CheckConstraint(condition=models.Q(('order__isnull', True), ('grant__isnull', True), _connector='OR'), name='token_rests_on_one'),
        ),
        migrations.AddConstraint(
            model_name='accesstoken',
            constraint=models.UniqueConstraint(condition=models.Q(('grant__isnull', False)), fields=('grant',), name='token_once_a_grant'),
        ),
    ]
