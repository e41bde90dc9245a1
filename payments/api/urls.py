"""The paths of the payments API."""

from django.urls import path

from payments.api import views

urlpatterns = [
    path("payments", views.PaymentsView.as_view(), name="payments"),
    path("payments/<str:payment_id>", views.PaymentView.as_view(), name="payment"),
    path(
        "payments/<str:payment_id>/cancel",
        views.CancelPaymentView.as_view(),
        name="cancel_payment",
    ),
    path(
        "payments/<str:payment_id>/capture",
        views.CapturePaymentView.as_view(),
        name="capture_payment",
    ),
    path("orders/<str:order_id>/cancel", views.CancelOrderView.as_view(), name="cancel_order"),
]
