"""The table of contents: everything below /api/v1/orders."""

from django.urls import path

from orders import views
from orders.domain import lifecycle

step = views.StepView.as_view

urlpatterns = [
    path("", views.OrdersView.as_view()),
    path("/<id:id>", views.OrderView.as_view()),
    path("/<id:id>/events", views.EventsView.as_view()),
    path("/<id:id>/cancel", views.CancelView.as_view()),
    path("/<id:id>/ship", step(step=lifecycle.ship)),
    path("/<id:id>/deliver", step(step=lifecycle.deliver)),
    path("/<id:id>/refund", step(step=lifecycle.refund)),
    path("/<id:id>/mark-paid", step(step=lifecycle.mark_paid)),
]
