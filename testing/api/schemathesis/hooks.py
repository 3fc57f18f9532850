"""Gives generated requests what only a running shop knows: keys, tokens, and ids of things that are there.

Never: an answer changed or hidden; only requests are touched. Every second case keeps the ids that were invented for it, so that both
"nothing here" and the real thing are answered. To add a kind of id: a line in `KNOWN`, filled where the shop is asked.
"""

import json
import os
import time
import uuid

import requests
import schemathesis

CARD = json.loads(os.environ["VOELGOED_CARD"])
API = CARD["url"] + "/api/v1"
ORGANIZER = {"Authorization": "Bearer " + CARD["api_key"]}
DEVICE = {"Authorization": "Bearer " + CARD["device_key"]}
OPERATOR = {"Authorization": "Bearer " + os.environ["VOELGOED__SECRETS__OPERATOR"]}
# The one that is opened, paused and closed by whatever is generated; the other stays on sale.
SALE, SCRATCH = CARD["events"][0]["id"], CARD["events"][2]["id"]


def asked(method, path, status, **more):
    answer = requests.request(method, API + path, timeout=20, **more)
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


def held():
    event = asked("GET", f"/events/{SALE}", 200)
    item = {"area": event["areas"][0]["id"], "quantity": 2, "ticket_type": event["ticket_types"][0]["id"]}
    return asked("POST", f"/events/{SALE}/holds", 201, json={"items": [item], "best_available": True})


def bought():
    hold = held()
    body = {
        "hold": hold["id"],
        "hold_token": hold["token"],
        "buyer": {"name": "Ann", "email": "ann@example.org"},
        "payment": {"provider": "sandbox", "method": "ok"},
    }
    order = asked("POST", "/orders", 201, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
    deadline = time.monotonic() + 30
    while order["state"] != "paid":
        assert time.monotonic() < deadline, "the order was not paid in time"
        time.sleep(0.1)
        order = asked("GET", f"/orders/{order['id']}", 200, headers={"X-Token": order["token"]})
    return order


def known():
    hold, order = held(), bought()
    venue = asked("POST", "/venues", 201, json={"name": "Town hall"}, headers=ORGANIZER)
    key = asked("POST", "/api-keys", 201, json={"name": "to revoke", "scopes": ["sales"]}, headers=ORGANIZER)
    price = asked("GET", f"/events/{SALE}", 200)["ticket_types"][0]["price"]
    ticket_type = {"event": SALE, "name": "to retire", "price": price}
    scanner = {"name": "to revoke", "event": SALE, "gates": [CARD["gate"]]}
    return {
        "event": SALE,
        "hold": hold["id"],
        "order": order["id"],
        "file": order["tickets"][0]["id"] + ".svg",
        "venue": venue["id"],
        "gate": CARD["gate"],
        "name": "sandbox",
        "key": key["id"],
        "ticket_type": asked("POST", "/ticket-types", 201, json=ticket_type, headers=ORGANIZER)["id"],
        "device": asked("POST", "/devices", 201, json=scanner, headers=ORGANIZER)["id"],
    }, {"/api/v1/holds": hold["token"], "/api/v1/orders": order["token"], "/api/v1/tickets": order["token"]}


KNOWN, TOKENS = known()
# What these do to an event must not end the sale that the other requests stand on.
SHIFTING = ("/publish", "/pause", "/open", "/close", "/blocks")
COUNT = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts keys, tokens and known ids into a request."""
    global COUNT
    COUNT += 1
    path, method = case.operation.path, case.operation.method.upper()
    headers = case.headers if case.headers is not None else {}
    case.headers = headers
    if path == "/api/v1/organizations":
        headers.update(OPERATOR)
    elif path.startswith("/api/v1/devices/me") or (path.startswith("/api/v1/scans") and method == "POST"):
        headers.update(DEVICE)
    else:
        headers.update(ORGANIZER)
    for start, token in TOKENS.items():
        if path.startswith(start) and COUNT % 4 != 3:
            headers["X-Token"] = token
    # What is revoked was made for it: ids that were seen in answers are also those of the keys in use.
    if COUNT % 2 == 0 and method != "DELETE":
        return
    for name in list(case.path_parameters or {}):
        if name in KNOWN:
            case.path_parameters[name] = KNOWN[name]
    if path.endswith(SHIFTING):
        case.path_parameters["event"] = SCRATCH
    # Where a body or a query names things, it names those that are there.
    for part in (case.body, case.query):
        if isinstance(part, dict):
            for name in ("event", "venue", "gate"):
                if name in part:
                    part[name] = KNOWN[name]
