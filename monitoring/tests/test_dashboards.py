"""The dashboards as files: in step with their source, as Grafana 12 wants them, complete and parseable."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import promql_parser
import pytest

from dashboards.__main__ import FOLDER, files
from tests.expressions import queries

DASHBOARDS = sorted(FOLDER.glob("*.json"))
# Made of the types in npm's @grafana/schema 12.2.0, Grafana's published dashboard and panel models (Apache-2.0), by
# ts-json-schema-generator, without their descriptions.
SCHEMA = json.loads(Path(__file__).with_name("grafana-schema-12.2.0.json").read_text())
UNITS = {
    *("short", "none", "bytes", "s", "percentunit", "reqps", "ops", "opm", "dtdurations"),
}
"""Ids of units, as Grafana's own list of them has it (grafana-data, valueFormats/categories.ts)."""


@pytest.fixture(params=DASHBOARDS, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.param.read_text())
    return found


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def test_they_are_what_their_source_says() -> None:
    assert {path: path.read_text() for path in DASHBOARDS} == files(), "make dashboards"


def test_grafana_s_schema_takes_them(dashboard: dict[str, Any]) -> None:
    for annotation in dashboard["annotations"]["list"]:
        # Fields of the Prometheus data source, which the model of the dashboard does not know.
        assert promql_parser.parse(annotation.pop("expr"))
        assert annotation.pop("titleFormat")
    jsonschema.validate(dashboard, SCHEMA["dashboard"])
    for panel in panels(dashboard):
        jsonschema.validate(panel["options"], SCHEMA[f"{panel['type']}.options"])
        if custom := panel["fieldConfig"]["defaults"].get("custom"):
            jsonschema.validate(custom, SCHEMA[f"{panel['type']}.custom"])


def test_the_schema_would_refuse_a_slip(dashboard: dict[str, Any]) -> None:
    panels(dashboard)[0]["fieldConfig"]["defaults"]["treshold"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(dashboard, SCHEMA["dashboard"])


def test_uids_are_the_fixed_ones() -> None:
    found = {path.stem: json.loads(path.read_text())["uid"] for path in DASHBOARDS}
    assert found == {
        "service-health": "comptoir-health",
        "api-gateway": "comptoir-gateway",
        "load-balancing": "comptoir-balancing",
        "shop": "comptoir-shop",
        "databases": "comptoir-databases",
    }


def test_a_reader_can_choose_source_and_instance_and_go_on_to_the_others(dashboard: dict[str, Any]) -> None:
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert variables.pop("datasource")["type"] == "datasource"
    text = json.dumps(panels(dashboard))
    assert variables
    assert all(f"${name}" in text for name in variables)
    assert [(link["type"], link["tags"]) for link in dashboard["links"]] == [("dashboards", ["comptoir"])]
    assert dashboard["tags"] == ["comptoir"]


def test_every_panel_says_what_it_shows_in_which_unit(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        assert len(panel["description"]) > 10, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        values = [step["value"] for step in steps[1:]]
        assert (steps[0]["value"], values) == (None, sorted(values)), panel["title"]
    titles = [panel["title"] for panel in panels(dashboard)]
    assert len(titles) == len(set(titles))


def test_panels_lie_beside_each_other_within_24_columns(dashboard: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_every_expression_is_promql_and_rates_follow_the_resolution(dashboard: dict[str, Any]) -> None:
    for query in queries(dashboard):
        assert promql_parser.parse(query.runnable()), query
        if "rate(" in query.expr:
            assert "$__rate_interval" in query.expr, query
