"""Every path of the site."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from config import health

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("healthz", health.livez, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("webhooks/", include("payments.webhooks.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("", include("accounts.urls")),
    path("", include("payments.api.urls")),
    path("", include("orders.urls")),
]
