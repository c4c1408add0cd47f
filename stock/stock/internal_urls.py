"""What only other services call; the gateway never routes /internal/."""

from django.urls import path

from stock import views

urlpatterns = [
    path("availability", views.AvailabilityView.as_view()),
    path("reservations/commit", views.SaleView.as_view()),
    path("receipts", views.ReceiptsView.as_view()),
]
