"""The table of contents: everything below /api/v1/products."""

from django.urls import path

from products import views

urlpatterns = [
    path("", views.ProductsView.as_view()),
    path("/categories", views.CategoriesView.as_view()),
    path("/facets", views.FacetsView.as_view()),
    path("/<slug:slug>", views.ProductView.as_view()),
    path("/<slug:slug>/images", views.ImagesView.as_view()),
]
