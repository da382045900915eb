"""The tables of document 04 under the names that people type: `SET search_path = legacy, public` and its queries run.

A schema of its own, because the product's tables are called `module_access` and `access_tokens` too.
"""

from django.db import migrations

CREATE = """
CREATE SCHEMA legacy;

CREATE VIEW legacy.modules AS
SELECT CASE WHEN m.external_id ~ '^[0-9]{1,18}$' THEN m.external_id::bigint ELSE m.id END AS id,
       m.external_id, m.slug, m.title, m.price, m.currency, m.url, m.is_on_sale AS is_active, m.created_at
FROM public.modules_access_module m;

CREATE VIEW legacy.access_tokens AS
SELECT coalesce(t.external_id, t.jti::text) AS id,
       CASE WHEN m.external_id ~ '^[0-9]{1,18}$' THEN m.external_id::bigint ELSE m.id END AS module_id,
       m.slug AS module, t.access_level, t.expires_at, t.revoked_at IS NULL AS is_active,
       coalesce(u.external_id, u.id::text) AS created_by,
       t.max_usage, t.used AS current_usage, t.last_used_at, t.created_at
FROM public.access_tokens t
JOIN public.modules_access_module m ON m.id = t.module_id
JOIN public.accounts_user u ON u.id = t.user_id;

CREATE VIEW legacy.module_access AS
SELECT a.id, coalesce(u.external_id, u.id::text) AS user_id,
       CASE WHEN m.external_id ~ '^[0-9]{1,18}$' THEN m.external_id::bigint ELSE m.id END AS module_id,
       m.slug AS module, a.access_type, coalesce(t.external_id, t.jti::text) AS token_id,
       a.expires_at, a.is_active, a.created_at, a.updated_at, a.metadata
FROM public.module_access a
JOIN public.modules_access_module m ON m.id = a.module_id
JOIN public.accounts_user u ON u.id = a.user_id
LEFT JOIN public.access_tokens t ON t.id = a.token_id;
"""
DROP = """
DROP VIEW legacy.module_access;
DROP VIEW legacy.access_tokens;
DROP VIEW legacy.modules;
DROP SCHEMA legacy;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("modules_access", "0005_moving_in"),
        ("accounts", "0007_moving_in"),
    ]

    operations = [migrations.RunSQL(CREATE, DROP)]
