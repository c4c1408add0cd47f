"""Migrations and the staff account, by `python -m chassis.prepare` of each service, where there is something to do."""

import hashlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from local import postgres, venv, wait
from local.problem import Problem
from local.secrets import SERVICES
from local.venv import PYTHON, ROOT

if TYPE_CHECKING:
    from local.shop import Shop

STAFF_EMAIL = "staff@example.com"


def prepare(shop: "Shop") -> None:
    """Prepares the databases whose code has changed, all at once; all of them when the staff account is to be set.

    Five starts of Django cost seconds, so each database remembers by which code it was prepared.
    """
    staff = _staff(shop)
    port = shop.ports["POSTGRES_PORT"]
    known, wanted = postgres.notes(shop.state, port), {service: _fingerprint(shop, service) for service in SERVICES}
    due = [service for service in SERVICES if staff or known.get(service) != wanted[service]]
    jobs = {service: _start(shop, service, staff) for service in due}
    failed = [service for service, job in jobs.items() if job.wait()]
    if failed:
        logs = [wait.end_of(shop.log(f"{service}-prepare")) for service in failed]
        raise Problem(f"the database of {', '.join(failed)} could not be prepared{''.join(logs)}")
    for service in due:
        postgres.note(shop.state, port, service, wanted[service])
    if staff:
        shop.user.write(_account(shop), staff["STAFF_EMAIL"])


def _account(shop: "Shop") -> Path:
    """The file that names the staff account, once there is one."""
    return shop.state.secrets / "staff_email"


def _staff(shop: "Shop") -> dict[str, str]:
    """What makes the staff account: given once, and when STAFF_EMAIL or STAFF_PASSWORD say so, that changes stay."""
    account, password = _account(shop), shop.state.secrets / "staff_password"
    known = account.read_text() if account.exists() else None
    email = shop.settings.get("STAFF_EMAIL") or known or STAFF_EMAIL
    if given := shop.settings.get("STAFF_PASSWORD"):
        # Written before it is used, and forgotten as set until it is: an interrupted `up` sets it the next time.
        account.unlink(missing_ok=True)
        shop.user.write(password, given)
    if not given and email == known:
        return {}
    return {"STAFF_EMAIL": email, "STAFF_PASSWORD_FILE": str(password)}


def _fingerprint(shop: "Shop", service: str) -> str:
    """Changes with any code that could prepare a database otherwise, and with the secrets that customers registers."""
    digest = hashlib.sha256(venv.installed().encode())
    if service == "customers":
        digest.update((shop.state.secrets / service / "oidc_clients.json").read_bytes())
    for folder in (ROOT / service, ROOT / "chassis" / "src"):
        for path in sorted(folder.rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _start(shop: "Shop", service: str, staff: dict[str, str]) -> "subprocess.Popen[bytes]":
    owner = {"DATABASE_OWNER_URL_FILE": str(shop.state.secrets / service / "owner_url")}
    log = shop.log(f"{service}-prepare")
    shop.user.write(log, "")
    with log.open("a") as output:
        return subprocess.Popen(
            shop.user.command(PYTHON, "-m", "chassis.prepare"),
            cwd=ROOT / service,
            env=shop.command_env(service) | owner | staff,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
