"""A whole life of a Checkout Session and of a payment link through Stripe's own SDK, unmodified, against the sandbox.

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


def life_of_a_link(client, secret):
    product = client.products.create({"name": "Utah Invitational: 17U Elite", "metadata": {"fee": "17u"}})
    terms = {"product": product.id, "currency": "usd", "unit_amount": 5500, "lookup_key": "17u-5500"}
    price = client.prices.create(terms)
    refused(stripe.InvalidRequestError, lambda: client.prices.create(terms), param="lookup_key")
    assert [found.id for found in client.prices.list({"lookup_keys": ["17u-5500"]}).data] == [price.id]
    moved = client.prices.create({**terms, "unit_amount": 6000, "transfer_lookup_key": True})
    assert client.prices.retrieve(price.id).lookup_key is None and moved.lookup_key == "17u-5500"
    client.prices.update(moved.id, {"active": False})
    assert [found.id for found in client.prices.list({"product": product.id}).data] == [price.id]

    links = client.payment_links
    params = {
        "line_items": [{"price": price.id, "quantity": 1}],
        "metadata": {"order_id": "41"},
        "payment_intent_data": {"metadata": {"order_id": "41"}},
        "restrictions": {"completed_sessions": {"limit": 1}},
        "after_completion": {"type": "redirect", "redirect": {"url": "http://127.0.0.1:9/thanks"}},
        "inactive_message": "Paid, or withdrawn: ask the club.",
    }
    key = {"idempotency_key": "link-41"}
    link, again = links.create(params, key), links.create(params, key)
    assert link.id == again.id and link.active and link.restrictions.completed_sessions.count == 0
    others = [links.create({**params, "metadata": {"order_id": str(order)}}) for order in range(42, 46)]
    listed = [found.id for found in links.list({"limit": 2}).auto_paging_iter()]
    assert listed == [other.id for other in reversed(others)] + [link.id], "newest first, over pages"
    assert links.line_items.list(link.id).data[0].description == "Utah Invitational: 17U Elite"
    updated = links.update(link.id, {"metadata": {"order_id": "410"}, "payment_intent_data": {"metadata": {"a": "b"}}})
    assert updated.metadata.to_dict() == {"order_id": "410"} and updated.url == link.url
    assert updated.payment_intent_data.metadata.to_dict() == {"a": "b"}, "declarative"
    wrong = {**params, "customer_email": "parent17@example.com"}
    refused(stripe.InvalidRequestError, lambda: links.create(wrong), code="parameter_unknown", param="customer_email")
    refused(stripe.InvalidRequestError, lambda: links.retrieve("plink_none"), code="resource_missing")

    sessions = client.checkout.sessions
    url = f"{link.url}?locked_prefilled_email=parent17%40example.com&client_reference_id=o-41"
    assert WEB.open(url, timeout=20).status == 200
    assert sessions.list({"payment_link": link.id}).data == [], "looking makes nothing"
    made = control("visit", link=url)
    session = sessions.retrieve(made["id"], {"expand": ["payment_link.line_items", "line_items"]})
    assert session.payment_link.id == link.id and session.metadata["order_id"] == "410"
    assert session.expires_at - session.created == 24 * 3600 and session.client_reference_id == "o-41"
    links.update(link.id, {"metadata": {"order_id": "411"}})
    assert pay_on_the_page(session.url, "4242 4242 4242 4242") == 303
    event = next_event(secret, "checkout.session.completed")
    assert event.data.object.payment_link == link.id and event.data.object.metadata["order_id"] == "410"
    assert event.data.object.customer_details.email == "parent17@example.com"
    event = next_event(secret, "payment_link.updated")
    assert event.data.object.active is False and event.data.previous_attributes["active"] is True
    closed = links.retrieve(link.id, {"expand": ["line_items"]})
    assert closed.restrictions.completed_sessions.count == 1 and closed.line_items.data[0].price.id == price.id
    assert [found.id for found in links.list({"active": False}).data] == [link.id]
    assert b"Paid, or withdrawn: ask the club." in WEB.open(link.url, timeout=20).read()
    client.products.update(product.id, {"active": False})
    assert links.list({"active": True}).data == [], "an archived product closes the links that sell it"


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
    life_of_a_link(client, secret)
    kinds = {event.type for event in client.events.list({"limit": 100}).auto_paging_iter()}
    assert {"checkout.session.completed", "refund.created", "payment_link.created", "price.created"} <= kinds, kinds
    print(f"stripe-python {stripe.VERSION}: a whole life of a session and of a link")


main()
