"""Every path of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView

from accounts import pages
from config import health
from payments.checkout import shop

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.crashed"

urlpatterns = [
    path("", shop.shop, name="shop"),
    path("checkout/", include("payments.checkout.urls")),
    path("login", pages.sign_in, name="login"),
    path("logout", pages.sign_out, name="logout"),
    path("language", set_language, name="set_language"),
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
