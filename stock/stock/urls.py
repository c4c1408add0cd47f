"""The table of contents: everything below /api/v1/stock."""

from django.urls import path

from stock import views
from stock.domain import reservations

step = views.ReservationStepView.as_view

urlpatterns = [
    path("", views.LevelsView.as_view()),
    path("/movements", views.MovementsView.as_view()),
    path("/reservations/<id:id>", views.ReservationView.as_view()),
    path("/reservations/<id:id>/commit", step(step=reservations.commit), name="commit"),
    path("/reservations/<id:id>/release", step(step=reservations.release), name="release"),
    path("/reservations/<id:id>/return", step(step=reservations.give_back), name="return"),
    path("/<sku:sku>", views.LevelView.as_view()),
    path("/<sku:sku>/movements", views.SkuMovementsView.as_view()),
]
