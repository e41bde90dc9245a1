"""The paths that are registered with the gateways."""

from django.urls import path

from payments.webhooks import views

urlpatterns = [
    path("vnpay", views.fetched, {"gateway": "vnpay"}, name="webhook_vnpay"),
    path("<slug:gateway>", views.posted, name="webhook"),
]
