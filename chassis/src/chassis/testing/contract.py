"""Schemathesis against a running service: every operation of its document, every check, every phase, over HTTP.

https://schemathesis.readthedocs.io. Its engine keeps the rounds apart by a seed, so a failure can be had again.
"""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import schemathesis
import yaml
from django.conf import settings
from schemathesis import config, engine
from schemathesis.engine import events
from schemathesis.openapi.checks import RejectedPositiveData

# What a good request may be answered besides 2xx: refusals of the domain, all in the document under `default`.
REFUSALS = ("2xx", "3xx", "401", "402", "403", "404", "409", "410", "412", "422", "429")
BEYOND = frozenset({"cursor:invalid"})
"""A cursor that is none of ours."""
Token = Callable[[str, str], dict[str, str]]


@dataclass
class Outcome:
    """What came of it: how many requests were answered, by phase and by status, and each thing that was wrong."""

    cases: int = 0
    phases: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    def told(self) -> str:
        """What was wrong, for people."""
        return "\n\n".join(f"{what}\n{how}" for what, how in self.wrong.items())


def wanted(default: int = 300) -> int:
    """How many cases: SCHEMA_CASES, as `make test-long` sets it, else ``default``."""
    return int(os.environ.get("SCHEMA_CASES", default))


def prove(url: str, token: Token, *, beyond: Collection[str] = (), unchecked: Collection[str] = ()) -> None:
    """Attacks the service as often as ``wanted``, in every phase; raises ``AssertionError`` with all that was wrong."""
    outcome = attack(url, token, cases=wanted(), beyond=beyond, unchecked=unchecked)
    print(f"{outcome.cases} cases", outcome.phases, outcome.statuses)
    assert not outcome.wrong, outcome.told()
    assert outcome.cases >= wanted()
    assert set(outcome.phases) == {"examples", "coverage", "fuzzing", "stateful"}


def attack(
    url: str,
    token: Token,
    *,
    cases: int,
    beyond: Collection[str] = (),
    unchecked: Collection[str] = (),
    examples: int = 10,
) -> Outcome:
    """Sends at least ``cases`` requests to the service at ``url``, in rounds of ``examples`` for each operation.

    ``token(method, path)`` is the Authorization header of who may call that operation; ``path`` as the document has it.
    ``beyond``: what good input may be refused for with 400 because no schema can say it, as ``field:code``.
    ``unchecked``: the checks whose idea of an API is not this one's.
    """
    outcome, seed = Outcome(), 0
    document = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text(encoding="utf-8"))
    while outcome.cases < cases and not outcome.wrong:
        seed += 1
        schema = _schema(url, document, token, seed, examples)
        _allow(schema, {*BEYOND, *beyond}, unchecked)
        for event in engine.from_schema(schema).execute():
            _record(outcome, event, seed)
        examples = min(examples * 2, 200)
    return outcome


def _schema(url: str, document: dict[str, Any], token: Token, seed: int, examples: int) -> Any:
    project = config.ProjectConfig(
        base_url=url,
        continue_on_failure=True,
        request_timeout=30,
        # A live server's thread keeps its database connection for as long as its client does, and that is never closed.
        headers={"Connection": "close"},
        # No document has examples: they are made up.
        phases=config.PhasesConfig(examples=config.ExamplesPhaseConfig(fill_missing=True)),
        generation=config.GenerationConfig(max_examples=examples, database="none"),
        checks=config.ChecksConfig(
            positive_data_acceptance=config.PositiveDataAcceptanceConfig(expected_statuses=REFUSALS)
        ),
    )
    schema = schemathesis.openapi.from_dict(
        document, config=config.SchemathesisConfig(seed=seed, projects=config.ProjectsConfig(default=project))
    )

    @schema.auth(refresh_interval=None)
    class Bearer:
        def get(self, case: Any, context: Any) -> dict[str, str]:
            return token(case.operation.method.upper(), case.operation.path)

        def set(self, case: Any, data: dict[str, str], context: Any) -> None:
            case.headers.update(data)

    return schema


def _allow(schema: Any, beyond: Collection[str], unchecked: Collection[str]) -> None:
    for name in unchecked:
        getattr(schema.config.checks, name).enabled = False

    @schema.hook
    def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
        return not (isinstance(failure, RejectedPositiveData) and reasons(response) <= set(beyond))


def reasons(response: Any) -> set[str]:
    """Why a request was refused with 400: ``field:code`` of each error."""
    problem = response.json() if response.status_code == 400 else {}
    named = {f"{error['field']}:{error['code']}" for error in problem.get("errors", ())}
    return named or {problem.get("code", "")}


def _record(outcome: Outcome, event: Any, seed: int) -> None:
    if isinstance(event, events.ScenarioFinished):
        _count(outcome, event, seed)
    elif isinstance(event, (events.NonFatalError, events.FatalError)):
        what = getattr(event, "info", None) or getattr(event, "exception", event)
        outcome.wrong[f"seed {seed}: {getattr(event, 'label', 'engine')}"] = str(what)


def _count(outcome: Outcome, event: Any, seed: int) -> None:
    phase = str(event.phase)
    for interaction in event.recorder.interactions.values():
        status = interaction.response.status_code if interaction.response else 0
        outcome.cases += 1
        outcome.phases[phase] = outcome.phases.get(phase, 0) + 1
        outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
    for id, checks in event.recorder.checks.items():
        answer = getattr(event.recorder.interactions.get(id), "response", None)
        for check in checks:
            if check.failure_info:
                failure = check.failure_info.failure
                what = f"seed {seed}: {check.name}: {failure.operation}: {failure.title}"
                said = answer.content.decode(errors="replace") if answer else "no answer"
                outcome.wrong.setdefault(what, f"{failure.message}\n{check.failure_info.code_sample}\n{said}")
