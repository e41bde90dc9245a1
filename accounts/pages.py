"""Signing in and out, for people. Client apps take tokens: see ``views.py``."""

from django.contrib.auth.views import LoginView, LogoutView
from django.views.decorators.cache import never_cache

# django-axes counts the failures behind it and locks a name at an address out for a while.
sign_in = never_cache(
    LoginView.as_view(template_name="accounts/login.html", redirect_authenticated_user=True)
)
# By POST only: a link in somebody's mail must not sign anybody out.
sign_out = LogoutView.as_view()
