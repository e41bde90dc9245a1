"""The paths under ``/checkout/``."""

from django.urls import path, register_converter

from checkout import shop, views
from checkout.links import OrderLink, Reference

register_converter(OrderLink, "order_link")
register_converter(Reference, "reference")

urlpatterns = [
    path("orders", shop.history, name="order_history"),
    path("<order_link:order_id>", views.pay, name="pay"),
    path("<order_link:order_id>/pay", views.start, name="start_payment"),
    path("<order_link:order_id>/status", views.status, name="payment_status"),
    path("<order_link:order_id>/status.json", views.status_json, name="payment_status_json"),
    path("<order_link:order_id>/return/<reference:reference>", views.come_back, name="come_back"),
    path("<order_link:order_id>/cancel", views.change, name="change_method"),
    path("<order_link:order_id>/receipt", views.receipt, name="receipt"),
]
