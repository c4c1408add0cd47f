"""The table of contents: everything below /api/v1/orders."""

from django.urls import path

from orders import views
from orders.domain import lifecycle

step = views.StepView.as_view

urlpatterns = [
    path("", views.OrdersView.as_view()),
    path("/<uuid:id>", views.OrderView.as_view()),
    path("/<uuid:id>/events", views.EventsView.as_view()),
    path("/<uuid:id>/cancel", views.CancelView.as_view()),
    path("/<uuid:id>/ship", step(step=lifecycle.ship)),
    path("/<uuid:id>/deliver", step(step=lifecycle.deliver)),
    path("/<uuid:id>/refund", step(step=lifecycle.refund)),
    path("/<uuid:id>/mark-paid", step(step=lifecycle.mark_paid)),
]
