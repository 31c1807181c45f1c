"""The orders of examples/, by requests to the app."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2")
testclient = pytest.importorskip("fastapi.testclient", exc_type=ImportError)

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "fastapi_orders.py"


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    return runpy.run_path(str(PROGRAM), run_name="fastapi_orders")


@pytest.fixture
def client(program: dict[str, Any]) -> Iterator[Any]:
    """A browser of an app with one order."""
    with testclient.TestClient(program["make_app"]()) as client:
        assert client.post("/orders", json={"item": "tea"}).status_code == 201
        yield client


def test_an_order_is_shipped(client: Any) -> None:
    """Each request asks for a state, and the answer has the active ones."""
    for state in ("Paid", "Packed", "Shipped"):
        answer = client.post(f"/orders/1/{state}")

    assert answer.json() == {"id": 1, "item": "tea", "states": ["Paid", "Packed", "Shipped"]}
    assert client.get("/orders/1").json() == answer.json()


def test_a_refused_request_gets_the_reason(client: Any) -> None:
    """Relations and handlers refuse with 409, and the machine says why."""
    answer = client.post("/orders/1/Shipped")

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("Shipped requires Paid, which is not active")
    client.post("/orders/1/Canceled")
    assert client.post("/orders/1/Paid").json()["detail"] == "PaidEnter denied it"
    assert client.get("/orders/1").json()["states"] == ["Canceled"]


def test_a_request_asks_why(client: Any) -> None:
    """The explanation of a state lists everything that is missing."""
    lines = client.get("/orders/1/why/Shipped").json()

    assert lines[0] == "Shipped could not activate now:"
    assert {line.strip() for line in lines[1:]} >= {
        "it requires Paid, which is not active",
        "it requires Packed, which is not active",
    }


@pytest.mark.parametrize("path", ["/orders/2/Paid", "/orders/1/Lapsed", "/orders/1/Nonsense"])
def test_what_does_not_exist_is_not_found(client: Any, path: str) -> None:
    """Unknown orders, unknown states and states of the shop's own cannot be asked for."""
    assert client.post(path).status_code == 404


def test_an_unpaid_order_lapses(program: dict[str, Any]) -> None:
    """After the time limit the order lapses, and a payment is refused."""
    app = program["make_app"](unpaid_s=0.01)
    with testclient.TestClient(app) as client:
        client.post("/orders", json={"item": "tea"})
        assert app.state.shop.orders[1].mach.when1("Lapsed").wait(20)

        assert client.post("/orders/1/Paid").status_code == 409
