"""What only the customers service calls, for the GDPR; the gateway never routes /internal/."""

from django.urls import path

from orders import views

urlpatterns = [path("customers/<uuid:id>", views.CustomerView.as_view())]
