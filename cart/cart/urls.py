"""The table of contents: everything below /api/v1/carts."""

from django.urls import path

from cart import views

urlpatterns = [
    path("", views.CartsView.as_view()),
    path("/current", views.CurrentView.as_view()),
    path("/<id:id>", views.CartView.as_view()),
    path("/<id:id>/claim", views.ClaimView.as_view()),
    path("/<id:id>/lines/<sku:sku>", views.LineView.as_view()),
]
