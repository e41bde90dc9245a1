"""The paths of the orders API."""

from django.urls import path

from orders import views

urlpatterns = [
    path("products", views.ProductsView.as_view(), name="products"),
    path("orders", views.OrdersView.as_view(), name="orders"),
    path("orders/<str:order_id>", views.OrderView.as_view(), name="order"),
]
