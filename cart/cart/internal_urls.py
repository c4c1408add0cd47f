"""What only the orders service calls; the gateway never routes /internal/."""

from django.urls import path

from cart import views

urlpatterns = [
    path("carts/<uuid:id>/checkouts/<uuid:order>", views.CheckoutView.as_view()),
    path("carts/<uuid:id>/consume", views.ConsumeView.as_view()),
]
