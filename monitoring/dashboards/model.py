"""What a dashboard is made of, and how that reads in Grafana's JSON (schema 41, Grafana 12).

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, RED = "green", "yellow", "red"
Steps = Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Query:
    """An expression and how its series are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """A panel. ``unit`` is one of Grafana's; ``steps`` say from which value on it has another colour than ``base``."""

    title: str
    description: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: Literal["timeseries", "stat", "bargauge", "table"] = "timeseries"
    width: int = 8
    height: int = 8
    base: str = GREEN
    steps: Steps = ()
    stacked: bool = False
    most: float | None = None
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What a value is called, and its colour: 1 is up."""


@dataclass(frozen=True)
class Variable:
    """What the reader chooses: all values of a label of a metric."""

    name: str
    query: str


@dataclass(frozen=True)
class Dashboard:
    """Rows of panels. ``uid`` never changes: alerts and bookmarks lead to it."""

    file: str
    uid: str
    title: str
    description: str
    variables: Sequence[Variable]
    rows: dict[str, Sequence[Panel]]


def document(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana's JSON."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["comptoir"],
        "editable": False,
        "graphTooltip": 1,  # the same moment in all panels
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "browser",
        "schemaVersion": 41,
        "links": [_link()],
        "annotations": {"list": [_deploys()]},
        "templating": {"list": [_datasource(), *map(_variable, dashboard.variables)]},
        "panels": _panels(dashboard.rows),
    }


def _link() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": "Comptoir",
        "tags": ["comptoir"],
        "asDropdown": False,
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }


def _deploys() -> dict[str, Any]:
    """A line where a service begins to run another code than two minutes before."""
    new = "count by (service, code) (comptoir_build_info)"
    return {
        "name": "Deploys",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": "blue",
        "expr": f"{new} unless {new.replace('info', 'info offset 2m')}"
        " and on (service) count by (service) (comptoir_build_info offset 2m)",
        "titleFormat": "{{service}} runs {{code}}",
    }


def _datasource() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": "Prometheus", "value": "prometheus"},
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "label": variable.name.capitalize(),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": variable.query, "refId": variable.name},
        "refresh": 2,  # when the time range changes
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels(rows: dict[str, Sequence[Panel]]) -> list[dict[str, Any]]:
    """From left to right, 24 columns wide; a row begins below all that came before."""
    placed: list[dict[str, Any]] = []
    bottom = 0
    for title, panels in rows.items():
        row: dict[str, Any] = {"type": "row", "title": title, "collapsed": False, "panels": []}
        placed.append(row | {"id": len(placed) + 1, "gridPos": {"h": 1, "w": 24, "x": 0, "y": bottom}})
        x, y, bottom = 0, bottom + 1, bottom + 1
        for panel in panels:
            if x + panel.width > 24:
                x, y = 0, bottom
            position = {"h": panel.height, "w": panel.width, "x": x, "y": y}
            placed.append(_panel(panel) | {"id": len(placed) + 1, "gridPos": position})
            x, bottom = x + panel.width, max(bottom, y + panel.height)
    return placed


def _panel(panel: Panel) -> dict[str, Any]:
    instant = panel.kind != "timeseries"
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": SOURCE,
            "expr": " ".join(query.expr.split()),
            "legendFormat": query.legend or "__auto",
            "instant": instant,
            "range": not instant,
            "format": "table" if panel.kind == "table" else "time_series",
        }
        for number, query in enumerate(panel.queries)
    ]
    made = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": _look(panel), "overrides": []},
        "options": _OPTIONS[panel.kind],
    }
    return made | {"transformations": [_TIDY]} if panel.kind == "table" else made


def _look(panel: Panel) -> dict[str, Any]:
    steps = [{"color": panel.base, "value": None}, *({"color": color, "value": value} for value, color in panel.steps)]
    look: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        look |= {"min": 0, "color": {"mode": "palette-classic"}, "custom": _lines(panel)}
    else:
        look |= {"color": {"mode": "thresholds"}}
    if panel.most is not None:
        look |= {"max": panel.most}
    if panel.words:
        words = {value: {"text": text, "color": color} for value, (text, color) in panel.words.items()}
        look |= {"mappings": [{"type": "value", "options": words}]}
    return look


def _lines(panel: Panel) -> dict[str, Any]:
    return {
        "lineWidth": 1,
        "fillOpacity": 30 if panel.stacked else 5,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if panel.steps else "off"},
    }


_REDUCED = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_LEGEND = {"displayMode": "table", "placement": "right", "showLegend": True, "calcs": ["lastNotNull", "max"]}
_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": _LEGEND | {"displayMode": "list", "placement": "bottom", "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": _REDUCED,
        "showPercentChange": False,
        "textMode": "value_and_name",
        "wideLayout": True,
    },
    "bargauge": {
        "displayMode": "basic",
        "legend": _LEGEND | {"showLegend": False, "calcs": []},
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "auto",
        "orientation": "horizontal",
        "reduceOptions": _REDUCED,
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    },
    "table": {"frameIndex": 0, "showHeader": True},
}
_TIDY = {
    "id": "organize",
    "options": {"excludeByName": {"Time": True, "Value": True, "__name__": True, "job": True}, "indexByName": {}},
}
