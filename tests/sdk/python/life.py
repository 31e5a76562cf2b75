"""A whole life of a Checkout Session through Stripe's own SDK, unmodified, against the sandbox.

Usage: life.py BASE_URL SECRET_KEY. Exits 0 where every expectation holds.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread

import stripe

BASE, KEY = sys.argv[1], sys.argv[2]
WEB = urllib.request.build_opener(urllib.request.ProxyHandler({}))
HEARD: Queue = Queue()


class Endpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        HEARD.put((body, self.headers["Stripe-Signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def control(path, **fields):
    request = urllib.request.Request(f"{BASE}/_sandbox/{path}", data=json.dumps(fields).encode(), method="POST")
    return json.load(WEB.open(request, timeout=20))


def refused(error, call, **attributes):
    try:
        call()
    except error as caught:
        for name, value in attributes.items():
            assert getattr(caught, name) == value, (name, getattr(caught, name), value)
        assert caught.request_id, "every error carries its request id"
        return
    raise AssertionError(f"no {error.__name__}")


def session_params(order, name="Utah Invitational: 17U Elite, Jordan E."):
    price = {"currency": "usd", "unit_amount": 5500, "product_data": {"name": name}}
    return {
        "mode": "payment",
        "success_url": "http://127.0.0.1:9/thanks?session={CHECKOUT_SESSION_ID}",
        "customer_email": "parent17@example.com",
        "client_reference_id": order,
        "expires_at": int(time.time()) + 23 * 3600,
        "line_items": [{"price_data": price, "quantity": 1}],
        "metadata": {"order_id": order},
        "payment_intent_data": {"metadata": {"order_id": order}},
    }


def pay_on_the_page(url, card):
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay())
    try:
        return browser.open(url, urllib.parse.urlencode({"card": card}).encode(), timeout=20).status
    except urllib.error.HTTPError as answer:
        return answer.code


def next_event(secret, wanted):
    while True:
        body, signature = HEARD.get(timeout=20)
        event = stripe.Webhook.construct_event(body, signature, secret)
        if event.type == wanted:
            refused_signature(body, signature)
            return event


def refused_signature(body, signature):
    try:
        stripe.Webhook.construct_event(body, signature, "whsec_another")
    except stripe.SignatureVerificationError:
        return
    raise AssertionError("another secret's signature was taken")


def main():
    client = stripe.StripeClient(KEY, base_addresses={"api": BASE}, max_network_retries=2).v1
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/hook"
    secret = client.webhook_endpoints.create({"url": url, "enabled_events": ["*"]}).secret
    account = client.accounts.retrieve_current()
    assert account.id.startswith("acct_")

    sessions = client.checkout.sessions
    made = [sessions.create(session_params(str(order))) for order in range(1, 8)]
    listed = [session.id for session in sessions.list({"limit": 3}).auto_paging_iter()]
    assert listed == [session.id for session in reversed(made)], "newest first, over three pages"
    since = {"created": {"gte": made[0].created}, "status": "open", "limit": 100}
    assert len(sessions.list(since).data) == 7

    first = sessions.retrieve(made[0].id)
    assert first.status == "open" and first.payment_intent is None and first.metadata["order_id"] == "1"
    items = sessions.line_items.list(first.id).data
    assert items[0].description.endswith("Jordan E.") and items[0].amount_total == 5500
    updated = sessions.update(first.id, {"metadata": {"order_id": "100", "seen": "yes"}})
    assert updated.metadata.to_dict() == {"order_id": "100", "seen": "yes"}

    expired = sessions.expire(made[1].id)
    assert expired.status == "expired" and expired.url is None
    assert next_event(secret, "checkout.session.expired").data.object.id == made[1].id
    refused(stripe.InvalidRequestError, lambda: sessions.expire(made[1].id), http_status=400)
    refused(stripe.InvalidRequestError, lambda: sessions.retrieve("cs_test_none"), code="resource_missing")
    wrong = {**session_params("9"), "colour": "red"}
    refused(stripe.InvalidRequestError, lambda: sessions.create(wrong), code="parameter_unknown", param="colour")
    late = {**session_params("9"), "expires_at": int(time.time()) + 30 * 86400}
    refused(stripe.InvalidRequestError, lambda: sessions.create(late), param="expires_at")
    stranger = stripe.StripeClient("sk_nonsense", base_addresses={"api": BASE}).v1
    refused(stripe.AuthenticationError, stranger.balance.retrieve, http_status=401)

    params, key = session_params("20"), {"idempotency_key": "attempt-20"}
    once, again = sessions.create(params, key), sessions.create(params, key)
    assert once.id == again.id and again.last_response.headers["idempotent-replayed"] == "true"
    other = {**params, "client_reference_id": "21"}
    refused(stripe.IdempotencyError, lambda: sessions.create(other, key), http_status=400)

    control("faults", when="after", what="cut", method="POST", path_prefix="/v1/checkout/sessions")
    before = len(list(sessions.list({"limit": 100}).auto_paging_iter()))
    sessions.create(session_params("22"))
    after = len(list(sessions.list({"limit": 100}).auto_paging_iter()))
    assert after == before + 1, "the SDK's own retry of a lost answer makes no second session"

    assert pay_on_the_page(first.url, "4000000000000002") == 402
    assert pay_on_the_page(first.url, "4242 4242 4242 4242") == 303
    event = next_event(secret, "checkout.session.completed")
    paid = sessions.retrieve(event.data.object.id, {"expand": ["payment_intent"]})
    assert (paid.id, paid.status, paid.payment_status) == (first.id, "complete", "paid")
    assert paid.payment_intent.status == "succeeded" and paid.payment_intent.metadata["order_id"] == "1"
    assert client.events.retrieve(event.id).type == event.type

    delayed = control(f"pay/{made[2].id}", card="delayed_success")
    assert delayed["payment_status"] == "unpaid"
    control("settle_delayed", session=made[2].id, succeed=True)
    assert next_event(secret, "checkout.session.async_payment_succeeded").data.object.payment_status == "paid"

    refund = client.refunds.create({"payment_intent": paid.payment_intent.id})
    assert (refund.status, refund.amount) == ("succeeded", 5500)
    assert next_event(secret, "refund.created").data.object.id == refund.id
    kinds = {event.type for event in client.events.list({"limit": 100}).auto_paging_iter()}
    assert {"checkout.session.completed", "checkout.session.expired", "refund.created"} <= kinds, kinds
    print(f"stripe-python {stripe.VERSION}: a whole life of a session")


main()
