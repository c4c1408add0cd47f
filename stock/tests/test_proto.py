import time, collections
import orjson, yaml, os
from pathlib import Path
import pytest, schemathesis
from schemathesis import engine
from schemathesis.config import *
from schemathesis.engine import events
from django.core.wsgi import get_wsgi_application
from stock.domain import levels, reservations
from uuid import uuid4

pytestmark = pytest.mark.django_db(transaction=True)


def test_it(as_staff, as_service, as_customer):
    levels.receive(sku="A", quantity=100, reason="x", actor="t")
    doc = yaml.safe_load(Path("openapi.yaml").read_text())
    app = get_wsgi_application()
    n = int(os.environ.get("N", "10"))
    config = SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(
                generation=GenerationConfig(max_examples=n, deterministic=True, database="none"),
                continue_on_failure=True,
            )
        )
    )
    schema = schemathesis.openapi.from_dict(doc, config=config)
    schema.app = app

    @schema.auth(refresh_interval=None)
    class Auth:
        def get(self, case, ctx):
            if "reservations" in case.operation.path:
                return as_service("orders")["Authorization"]
            return as_staff()["Authorization"]

        def set(self, case, data, ctx):
            case.headers["Authorization"] = data

    begin = time.monotonic()
    count = collections.Counter()
    statuses = collections.Counter()
    seen = {}
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for id, inter in event.recorder.interactions.items():
                count[event.phase.name] += 1
                if inter.response is not None:
                    statuses[inter.response.status_code] += 1
                else:
                    statuses["none"] += 1
            for id, checks in event.recorder.checks.items():
                for c in checks:
                    if c.failure_info:
                        f = c.failure_info.failure
                        key = (c.name, event.recorder.label, f.title)
                        if key not in seen:
                            seen[key] = (f.message, c.failure_info.code_sample)
        elif isinstance(event, events.NonFatalError):
            print("NONFATAL", event.info if hasattr(event, "info") else event)
        elif isinstance(event, (events.FatalError,)):
            print("FATAL", event.exception)
        elif isinstance(event, events.PhaseFinished):
            print(event.phase.name, event.status, round(time.monotonic() - begin, 1), event.phase.skip_reason)
    print(count, statuses)
    for key, v in seen.items():
        print("-----", key)
        print(v[0][:1500])
        print(v[1][:800])
