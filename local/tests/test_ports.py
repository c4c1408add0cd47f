import pytest

from local import ports
from local.problem import Problem


def test_a_taken_port_is_named_with_its_variable_and_a_way_out(taken_port: int) -> None:
    resolved = ports.resolve({"STOCK_PORT": str(taken_port)}, 20_000)
    with pytest.raises(Problem) as refusal:
        ports.check_free({"STOCK_PORT": resolved["STOCK_PORT"]})
    assert str(refusal.value) == (
        f"port {taken_port} (STOCK_PORT) is taken: stop what listens there, or choose another,"
        f" as in `make up STOCK_PORT={taken_port + 100}`"
    )


def test_a_taken_port_of_metrics_is_moved_by_the_port_of_its_instance(taken_port: int) -> None:
    with pytest.raises(Problem) as refusal:
        ports.check_free({"STOCK_METRICS_PORT": taken_port})
    assert f"`make up STOCK_PORT={taken_port - 1000 + 100}`" in str(refusal.value)


def test_several_taken_ports_are_one_line(taken_port: int) -> None:
    with pytest.raises(Problem) as refusal:
        ports.check_free({"STOCK_PORT": taken_port, "CART_PORT": taken_port})
    assert f"ports {taken_port} (STOCK_PORT), {taken_port} (CART_PORT) are taken" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    with pytest.raises(Problem, match=r"^ports .* \(B\), .* \(C\) and 1 more are taken: "):
        ports.check_free(dict.fromkeys("ABCD", taken_port))


def test_the_gateway_s_port_is_taken_also_when_something_else_has_it_on_one_address(taken_port: int) -> None:
    with pytest.raises(Problem):
        ports.check_free({"GATEWAY_PORT": taken_port}, {"GATEWAY_BIND": "0.0.0.0"})  # noqa: S104


def test_the_port_of_tls_has_to_be_free_only_where_the_gateway_takes_it(taken_port: int) -> None:
    wanted = {"GATEWAY_TLS_PORT": taken_port}
    for settings in ({}, {"GATEWAY_TLS": "on", "GATEWAY_TLS_LISTEN": "127.0.0.1:1"}):
        ports.check_free(wanted, settings)
    with pytest.raises(Problem, match=r"\(GATEWAY_TLS_PORT\) is taken"):
        ports.check_free(wanted, {"GATEWAY_TLS": "on"})


def test_an_offset_moves_the_defaults_and_not_what_is_set() -> None:
    resolved = ports.resolve({"GATEWAY_PORT": "80", "STOCK_PORT": "7000"}, 100)
    assert (resolved["GATEWAY_PORT"], resolved["STOCK_PORT"], resolved["CART_PORT"]) == (80, 7000, 5104)
    assert (resolved["STOCK_METRICS_PORT"], resolved["STOCK_WORKER_METRICS_PORT"]) == (8000, 8010)


@pytest.mark.parametrize("value", ["0", "65536", "http", "-1", "80.5"])
def test_what_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(Problem, match=r"GATEWAY_PORT is .*: give a port number from 1 to 65535"):
        ports.resolve({"GATEWAY_PORT": value})


def test_two_variables_with_one_port_are_refused() -> None:
    with pytest.raises(Problem, match="STOCK_PORT and CART_PORT are both 5002"):
        ports.resolve({"CART_PORT": "5002"})
