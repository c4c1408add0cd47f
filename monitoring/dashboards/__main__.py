"""``python -m dashboards``: writes grafana/dashboards/*.json anew."""

import json
from pathlib import Path

from dashboards import balancing, databases, gateway, health, shop
from dashboards.model import Dashboard, document

ALL: list[Dashboard] = [health.DASHBOARD, gateway.DASHBOARD, balancing.DASHBOARD, shop.DASHBOARD, databases.DASHBOARD]
FOLDER = Path(__file__).resolve().parent.parent / "grafana" / "dashboards"


def files() -> dict[Path, str]:
    """Each file and what is to be in it."""
    return {FOLDER / f"{each.file}.json": json.dumps(document(each), indent=2) + "\n" for each in ALL}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
