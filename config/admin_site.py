"""The staff's site."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class PaymentsAdminSite(AdminSite):
    """Django's admin under our name."""

    site_header = _("Payments")
    site_title = _("Payments")
    index_title = _("Today")
