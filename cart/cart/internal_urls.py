"""What only other services call: orders, and customers for the GDPR; the gateway never routes /internal/."""

from django.urls import path

from cart import views

urlpatterns = [
    path("carts/<uuid:id>/checkouts/<uuid:order>", views.CheckoutView.as_view()),
    path("carts/<uuid:id>/consume", views.ConsumeView.as_view()),
    path("carts/consume", views.PurchasesView.as_view()),
    path("customers/<uuid:id>", views.CustomerView.as_view()),
]
