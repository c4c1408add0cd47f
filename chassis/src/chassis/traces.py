"""Traces by OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT says so: requests, calls between services, statements.

Without that variable nothing of OpenTelemetry is imported; a request's ``traceparent`` is handed on all the same.
Which requests are sampled and what else can be said is OpenTelemetry's own to read from the environment:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ (OTEL_TRACES_SAMPLER and the like).
"""

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.conf import settings

from chassis import env

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_WITH_QUERY = ("http.url", "http.target", "url.full", "url.query")


def apps() -> list[str]:
    """What to add to INSTALLED_APPS."""
    # OTEL_EXPORTER_OTLP_ENDPOINT: http://host:4318 of a collector (OTLP over HTTP); empty for no traces.
    return ["chassis.traces.Traces"] if env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "") else []


_tracer: "Tracer | None" = None


def begin(method: str, url: str, headers: dict[str, str]) -> "Span | None":
    """The span of a call to another service, which ``headers`` then name; to be ended. None without traces.

    https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
    """
    if _tracer is None:
        return None
    from opentelemetry import propagate, trace

    about = {"http.request.method": method, "url.full": url}
    span = _tracer.start_span(method, kind=trace.SpanKind.CLIENT, attributes=about)
    propagate.inject(headers, trace.set_span_in_context(span))
    return span


class Traces(AppConfig):
    """Instruments the process when Django is ready, before it loads its middleware."""

    name = "chassis.traces"
    label = "traces"

    def ready(self) -> None:
        """Begins to trace. Stops the start with one line where the packages are missing."""
        try:
            _begin(settings.SERVICE, env.text("INSTANCE", settings.SERVICE))
        except ModuleNotFoundError as missing:
            raise SystemExit(
                f"comptoir: OTEL_EXPORTER_OTLP_ENDPOINT is set, but {missing.name} is not installed: install what"
                " chassis/requirements-traces.txt names, or unset it"
            ) from None


def _begin(service: str, instance: str) -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg2 import Psycopg2Instrumentor
    from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service, "service.instance.id": instance})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    global _tracer
    _tracer = trace.get_tracer("chassis.http")
    DjangoInstrumentor().instrument(request_hook=_forget_query, excluded_urls="livez,readyz")
    URLLib3Instrumentor().instrument(url_filter=_without_query)
    # psycopg2-binary is psycopg2 by another name. Statements are recorded without their values.
    Psycopg2Instrumentor().instrument(skip_dep_check=True)


def _forget_query(span: "Span", request: Any) -> None:
    """Guests' access tokens travel in the query string."""
    for name in _WITH_QUERY:
        if (value := getattr(span, "attributes", {}).get(name)) is not None:
            span.set_attribute(name, "" if name == "url.query" else _without_query(str(value)))


def _without_query(url: str) -> str:
    return url.partition("?")[0]
