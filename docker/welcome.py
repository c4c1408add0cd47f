"""The last step of `docker compose up`: where to go, and the staff account.

python welcome.py FOLDER          the volume that hand_out.py calls `staff`
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from local.user import myself


def welcome(folder: Path, environ: Mapping[str, str]) -> str:
    """What to say; notes that the staff account is set, since the migrations that set it are through."""
    if email := (folder / "email").read_text():
        myself().write(folder / "account", email, mode=0o444)
    url = (folder / "public_url").read_text()
    return f"""
Comptoir is open.

  shop            {url}/
  API reference   {url}/docs/
  admins          {url}/admin/products/  (stock, customers, cart, orders alike)
  staff account   {(folder / "notice").read_text()}
  Prometheus      http://localhost:{environ.get("PROMETHEUS_PORT") or 9090}/
  Grafana         http://localhost:{environ.get("GRAFANA_PORT") or 3000}/  (admin, admin at first)

  try             curl '{url}/api/v1/products?q=bananna&limit=3'
  stop            docker compose down"""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(welcome(Path(sys.argv[1]), os.environ))
