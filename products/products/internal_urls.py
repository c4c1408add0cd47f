"""What only other services call; the gateway never routes /internal/."""

from django.urls import path

from products import views

urlpatterns = [path("variants", views.VariantsView.as_view())]
