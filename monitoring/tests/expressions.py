"""The expressions of a dashboard's panels, as Grafana would send them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_VALUES = {"$__rate_interval": "30s", "$__range": "5m"}


@dataclass(frozen=True)
class PanelQuery:
    """One expression of a panel."""

    dashboard: str
    panel: str
    expr: str

    def runnable(self) -> str:
        """With Grafana's variables filled in: all instances, four scrapes and a bit for a rate."""
        text = self.expr
        for name, value in _VALUES.items():
            text = text.replace(name, value)
        text = re.sub(r"\$\w+", ".*", text)
        assert "$" not in text, text
        return text


def queries(dashboard: dict[str, Any]) -> Iterator[PanelQuery]:
    """Every expression, panel by panel."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield PanelQuery(dashboard["title"], panel["title"], target["expr"])
