from chassis.urls import HANDLERS, service_urls

globals().update(HANDLERS)
urlpatterns = service_urls("customers.urls", "customers.internal_urls")
