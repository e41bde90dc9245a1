"""Every path of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from accounts import pages
from api import docs
from checkout import shop

handler400 = "api.errors.bad_request"
handler403 = "api.errors.forbidden"
handler404 = "api.errors.not_found"
handler500 = "api.errors.crashed"

urlpatterns = [
    path("", shop.shop, name="shop"),
    path("checkout/", include("checkout.urls")),
    path("login", pages.sign_in, name="login"),
    path("logout", pages.sign_out, name="logout"),
    path("language", set_language, name="set_language"),
    # Typed by people, and asked for by browsers on every page.
    path("admin", RedirectView.as_view(url="/admin/")),
    path("favicon.ico", RedirectView.as_view(url="/static/site/icon.svg")),
    path("admin/", admin.site.urls),
    path("webhooks/", include("payments.webhooks.urls")),
    path("schema", docs.schema, name="schema"),
    path("docs", docs.SwaggerView.as_view(), name="docs"),
    path("docs/errors", docs.errors, name="error_codes"),
    path("", include("accounts.urls")),
    path("", include("payments.api.urls")),
    path("", include("orders.urls")),
]
