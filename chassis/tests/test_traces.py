"""Traces as a collector gets them, from two real gunicorns that call each other; and nothing at all without one."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.servers import until
from tests.test_gunicorn import serving

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp"""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def spans(self):
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = []
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                about = {each.key: each.value.string_value for each in resource.resource.attributes}
                found += [(about, span) for scope in resource.scope_spans for span in scope.spans]
        return found


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/traces":
            self.server.bodies.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words):
        return


@pytest.fixture
def collector():
    server = Collector()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pair(tmp_path, collector, service_private_keys):
    """Two instances: the first one calls the second."""
    key = service_private_keys["stock"].as_pem(private=True).decode()
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "SERVICE_KEY": key,
    }
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with (
        serving(tmp_path / "second", **told, INSTANCE="second") as second,
        serving(tmp_path / "first", **told, INSTANCE="first", NEXT_URL=second.url) as first,
    ):
        yield first, second


def kind(span):
    return {1: "internal", 2: "server", 3: "client"}[span.kind]


def test_one_trace_goes_through_request_statement_and_call_into_the_next_service(pair, collector):
    first, second = pair
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "traced"}
    assert first.get("/api/v1/stock/relay?access_token=hush", **headers).status == 200

    def ours():
        return [(about, span) for about, span in collector.spans() if span.trace_id.hex() == TRACE]

    until(
        lambda: {(a["service.instance.id"], kind(s)) for a, s in ours()} >= {("first", "server"), ("second", "server")}
    )
    by_place = {(about["service.instance.id"], kind(span), span.name.split()[0]): span for about, span in ours()}
    request, answered = by_place["first", "server", "GET"], by_place["second", "server", "GET"]
    call, statement = by_place["first", "client", "GET"], by_place["first", "client", "SELECT"]
    assert {about["service.name"] for about, _ in ours()} == {"stock"}
    assert request.parent_span_id.hex() == PARENT
    assert statement.parent_span_id == call.parent_span_id == request.span_id
    assert answered.parent_span_id == call.span_id, "the call took its own span along, not the client's"
    assert "api/v1/stock/relay" in request.name
    text = b"".join(collector.bodies)
    assert b"hush" not in text
    assert b"a value" not in text
    assert b"SELECT %s AS kept_back" in text
    (line,) = [line for line in second.line_of("traced") if line["event"] == "request"]
    assert line["traceparent"] == f"00-{TRACE}-{call.span_id.hex()}-01", "the log leads to the trace"


def test_health_is_not_traced(pair, collector):
    first, _ = pair
    first.get("/readyz")
    first.get("/api/v1/stock/echo")
    until(lambda: [span for _, span in collector.spans() if "echo" in span.name])
    assert not [span for _, span in collector.spans() if "readyz" in span.name]


SETUP = "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup(); "


def run(code, **variables):
    import os

    return subprocess.run(
        [sys.executable, "-c", SETUP + code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_variable_nothing_of_opentelemetry_is_imported():
    done = run("import chassis.http; print([name for name in sys.modules if name.startswith('opentelemetry')])")
    assert done.stdout == "[]\n"


def test_the_variable_without_the_packages_stops_the_start_with_one_line(tmp_path):
    (tmp_path / "opentelemetry.py").write_text("raise ModuleNotFoundError('none', name='opentelemetry')")
    done = run("", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("comptoir: OTEL_EXPORTER_OTLP_ENDPOINT is set, but opentelemetry is not installed:")
