"""A yardstick: Django and nothing else, a view that answers a small JSON document."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path


def view(request: HttpRequest) -> JsonResponse:
    """20 numbers."""
    return JsonResponse({"results": list(range(20))})


urlpatterns = [path("bare", view)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="of no use", MIDDLEWARE=[])  # noqa: S106
django.setup()
application = WSGIHandler()
