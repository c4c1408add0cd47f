"""Every alert has a runbook, a dashboard that exists, and a test in which it fires and one in which it does not."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from local.venv import ROOT

FOLDER = ROOT / "monitoring" / "prometheus"
TESTS = sorted(FOLDER.glob("tests/*.yml"))
RULES = [
    rule
    for path in sorted(FOLDER.glob("rules/*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
NAMES = sorted({alert["alert"] for alert in ALERTS})


def of(name: str) -> list[dict[str, Any]]:
    return [alert for alert in ALERTS if alert["alert"] == name]


@pytest.mark.parametrize("test", TESTS, ids=lambda path: path.stem)
def test_promtool_s_rule_tests_pass(promtool: str, test: Path) -> None:
    done = subprocess.run([promtool, "test", "rules", str(test)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_configuration(promtool: str) -> None:
    done = subprocess.run([promtool, "check", "config", str(FOLDER / "prometheus.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rules" in done.stdout or done.stdout.count("rules found") == 3


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_says_how_urgent_it_is_and_where_to_look(name: str) -> None:
    dashboards = {json.loads(path.read_text())["uid"] for path in ROOT.glob("monitoring/grafana/dashboards/*.json")}
    runbook = ROOT / "monitoring" / "runbooks" / f"{name}.md"
    for alert in of(name):
        notes = alert["annotations"]
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert set(notes) == {"summary", "dashboard", "runbook"}
        assert notes["dashboard"].removeprefix("/d/") in dashboards
        assert ROOT / notes["runbook"] == runbook
        assert "for" in alert
    headings = re.findall(r"^#+ (.*)$", runbook.read_text(), re.M)
    assert headings == [name, "What it means", "How to check", "How to mend"]


@pytest.mark.parametrize("name", NAMES)
def test_an_alert_is_tested_firing_and_not_firing(name: str) -> None:
    cases = [
        case
        for path in TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == name
    ]
    fired = [alert["exp_labels"] for case in cases for alert in case["exp_alerts"]]
    assert [case for case in cases if not case["exp_alerts"]], "nowhere it does not fire"
    for alert in of(name):
        assert [labels for labels in fired if alert["labels"].items() <= labels.items()], f"never fires: {alert}"


def test_there_is_no_runbook_without_an_alert_and_links_between_them_lead_somewhere() -> None:
    pages = {path.stem: path for path in ROOT.glob("monitoring/runbooks/*.md")}
    assert sorted(pages) == NAMES
    for page in pages.values():
        assert set(re.findall(r"\]\((\w+)\.md\)", page.read_text())) <= set(pages)


def test_a_runbook_names_panels_that_exist() -> None:
    titles: dict[str, set[str]] = {}
    for path in ROOT.glob("monitoring/grafana/dashboards/*.json"):
        dashboard = json.loads(path.read_text())
        titles[dashboard["title"]] = {panel["title"] for panel in dashboard["panels"]}
    for page in ROOT.glob("monitoring/runbooks/*.md"):
        text = " ".join(page.read_text().split())
        for title, named in titles.items():
            for panel in re.findall(rf'{title}, "([^"]+)"', text):
                assert panel in named, f"{page.name}: {title} has no panel {panel!r}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("record") or rule["alert"])
def test_expressions_are_promql_and_recordings_are_named_level_metric_operations(rule: dict[str, Any]) -> None:
    promql_parser.parse(rule["expr"])
    if "record" in rule:
        assert re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z_]+\d*[mhd]?|[a-z]+:[a-z_]+:ratio", rule["record"])
