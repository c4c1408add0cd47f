from chassis.urls import HANDLERS, service_urls

globals().update(HANDLERS)
urlpatterns = service_urls("orders.urls", "orders.internal_urls")
