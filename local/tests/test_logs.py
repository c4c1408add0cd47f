import json
from pathlib import Path

from local import logs


def line(**entry: object) -> str:
    return json.dumps(entry) + "\n"


def test_one_request_s_way_in_the_order_of_its_beginning(tmp_path: Path) -> None:
    (tmp_path / "stock.log").write_text(
        "not JSON, though it has abc in it\n"
        + line(event="request", request_id="abc", timestamp="2026-11-22T10:00:00.900000Z", ms=50.0, status=201)
        + line(event="request", request_id="abcd", timestamp="2026-11-22T10:00:00.900000Z", ms=50.0, status=409)
    )
    (tmp_path / "orders.log.1").write_text(
        line(event="request", request_id="abc", timestamp="2026-11-22T10:00:01Z", ms=800.0, status=201)
    )
    (tmp_path / "nginx.log").write_text(
        line(request_id="abc", time="2026-11-22T10:00:01+00:00", duration=0.9, status=201)
    )
    told = [text.split()[1:] for text in logs.way(tmp_path, "abc")]
    assert told == [
        ["nginx", "request", "duration=0.9", "status=201"],
        ["orders", "request", "ms=800.0", "status=201"],
        ["stock", "request", "ms=50.0", "status=201"],
    ]
