"""The paths that are registered with the gateways."""

from django.urls import path

from payments.webhooks import views

urlpatterns = [path("<slug:gateway>", views.receive, name="webhook")]
