"""Django's admin with a site of our own."""

from django.contrib.admin.apps import AdminConfig as StockAdminConfig


class AdminConfig(StockAdminConfig):
    """In the place of `django.contrib.admin` in INSTALLED_APPS."""

    default_site = "accounts.staff_site.StaffSite"
