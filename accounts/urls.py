"""Sign-in for client apps."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("auth/token", views.TokenView.as_view(), name="token"),
    path("auth/token/refresh", views.RefreshView.as_view(), name="token_refresh"),
]
