// A whole life of a Checkout Session and of a payment link through Stripe's own SDK, unmodified, against the sandbox.
// Usage: node life.mjs BASE_URL SECRET_KEY. Exits 0 where every expectation holds.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import Stripe from "stripe";

const [base, key] = process.argv.slice(2);
const { hostname: host, port } = new URL(base);
const at = { protocol: "http", host, port, maxNetworkRetries: 2, telemetry: false };
const stripe = new Stripe(key, at);
const { sessions } = stripe.checkout;

const heard = [];
const endpoint = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  heard.push([Buffer.concat(parts), request.headers["stripe-signature"]]);
  endpoint.emit("heard");
  response.end();
});
endpoint.listen(0, "127.0.0.1");
await once(endpoint, "listening");

async function nextEvent(secret, wanted) {
  for (;;) {
    while (heard.length === 0) await once(endpoint, "heard", { signal: AbortSignal.timeout(20000) });
    const [body, signature] = heard.shift();
    const event = stripe.webhooks.constructEvent(body, signature, secret);
    assert.throws(() => stripe.webhooks.constructEvent(body, signature, "whsec_another"));
    if (event.type === wanted) return event;
  }
}

const control = async (path, fields = {}) => {
  const answer = await fetch(`${base}/_sandbox/${path}`, { method: "POST", body: JSON.stringify(fields) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
};
const pay = (url, card) =>
  fetch(url, { method: "POST", body: new URLSearchParams({ card }), redirect: "manual" }).then((a) => a.status);
const refused = (type, fields, call) =>
  assert.rejects(call, (error) => {
    assert.equal(error.type, type, error.message);
    assert.ok(error.requestId, "every error carries its request id");
    for (const [name, value] of Object.entries(fields)) assert.equal(error[name], value, name);
    return true;
  });
const params = (order) => ({
  mode: "payment",
  success_url: "http://127.0.0.1:9/thanks?session={CHECKOUT_SESSION_ID}",
  customer_email: "parent17@example.com",
  client_reference_id: order,
  line_items: [
    { price_data: { currency: "usd", unit_amount: 6500, product_data: { name: "17U Select" } }, quantity: 1 },
  ],
  metadata: { order_id: order },
  payment_intent_data: { metadata: { order_id: order } },
});

const url = `http://127.0.0.1:${endpoint.address().port}/hook`;
const { secret } = await stripe.webhookEndpoints.create({ url, enabled_events: ["*"] });

const known = new Set();
for await (const session of sessions.list({ limit: 100 })) known.add(session.id);
const made = [];
for (let order = 1; order <= 7; order += 1) made.push(await sessions.create(params(String(order))));
const listed = [];
for await (const { id } of sessions.list({ limit: 3 })) if (!known.has(id)) listed.push(id);
assert.deepEqual(listed, made.map(({ id }) => id).reverse(), "newest first, over pages");

const first = await sessions.retrieve(made[0].id);
assert.deepEqual([first.status, first.payment_intent, first.metadata], ["open", null, { order_id: "1" }]);
assert.equal((await sessions.listLineItems(first.id)).data[0].amount_total, 6500);
const updated = await sessions.update(first.id, { metadata: { order_id: "100", seen: "yes" } });
assert.deepEqual({ ...updated.metadata }, { order_id: "100", seen: "yes" });

assert.equal((await sessions.expire(made[1].id)).status, "expired");
assert.equal((await nextEvent(secret, "checkout.session.expired")).data.object.id, made[1].id);
await refused("StripeInvalidRequestError", { statusCode: 400 }, () => sessions.expire(made[1].id));
await refused("StripeInvalidRequestError", { code: "resource_missing" }, () => sessions.retrieve("cs_test_none"));
await refused("StripeInvalidRequestError", { param: "colour" }, () => sessions.create({ ...params("9"), colour: "red" }));
await refused("StripeAuthenticationError", { statusCode: 401 }, () =>
  new Stripe("sk_nonsense", at).balance.retrieve(),
);

const idempotencyKey = "node-attempt-20";
const [once1, again] = [
  await sessions.create(params("20"), { idempotencyKey }),
  await sessions.create(params("20"), { idempotencyKey }),
];
assert.equal(once1.id, again.id);
await refused("StripeIdempotencyError", {}, () => sessions.create(params("21"), { idempotencyKey }));

const count = async () => (await sessions.list({ limit: 100 }).autoPagingToArray({ limit: 1000 })).length;
const before = await count();
await control("faults", { when: "after", what: "cut", method: "POST", path_prefix: "/v1/checkout/sessions" });
await sessions.create(params("22"));
assert.equal(await count(), before + 1, "the SDK's own retry of a lost answer makes no second session");

assert.equal(await pay(first.url, "4000000000000002"), 402);
assert.equal(await pay(first.url, "4242424242424242"), 303);
const event = await nextEvent(secret, "checkout.session.completed");
const paid = await sessions.retrieve(event.data.object.id, { expand: ["payment_intent"] });
assert.deepEqual([paid.id, paid.payment_status], [first.id, "paid"]);
assert.deepEqual([paid.payment_intent.status, paid.payment_intent.metadata.order_id], ["succeeded", "1"]);
assert.equal((await stripe.events.retrieve(event.id)).type, event.type);

await control(`pay/${made[2].id}`, { card: "delayed_failure" });
await control("settle_delayed", { session: made[2].id, succeed: false });
const failed = await nextEvent(secret, "checkout.session.async_payment_failed");
assert.equal(failed.data.object.payment_status, "unpaid");

const refund = await stripe.refunds.create({ payment_intent: paid.payment_intent.id });
assert.deepEqual([refund.status, refund.amount], ["succeeded", 6500]);
assert.equal((await nextEvent(secret, "refund.created")).data.object.id, refund.id);

const product = await stripe.products.create({ name: "17U Select" });
const terms = { product: product.id, currency: "usd", unit_amount: 6500, lookup_key: "node-17u" };
const price = await stripe.prices.create(terms);
await refused("StripeInvalidRequestError", { param: "lookup_key" }, () => stripe.prices.create(terms));
assert.equal((await stripe.prices.list({ lookup_keys: ["node-17u"] })).data[0].id, price.id);
const links = stripe.paymentLinks;
const linkParams = (order) => ({
  line_items: [{ price: price.id, quantity: 1 }],
  metadata: { order_id: order },
  payment_intent_data: { metadata: { order_id: order } },
  restrictions: { completed_sessions: { limit: 1 } },
  inactive_message: "Paid, or withdrawn: ask the club.",
});
const linkKey = { idempotencyKey: "node-link-41" };
const link = await links.create(linkParams("41"), linkKey);
assert.equal((await links.create(linkParams("41"), linkKey)).id, link.id);
assert.deepEqual([link.active, link.restrictions.completed_sessions], [true, { count: 0, limit: 1 }]);
const other = await links.create({
  line_items: [{ price_data: { currency: "usd", unit_amount: 900, product_data: { name: "Camp" } }, quantity: 2 }],
});
const listedLinks = await links.list({ limit: 1 }).autoPagingToArray({ limit: 2 });
assert.deepEqual(listedLinks.map(({ id }) => id), [other.id, link.id], "newest first, over pages");
assert.equal((await links.listLineItems(other.id)).data[0].amount_total, 1800);
await refused("StripeInvalidRequestError", { param: "colour" }, () => links.create({ ...linkParams("9"), colour: "red" }));
await refused("StripeInvalidRequestError", { code: "resource_missing" }, () => links.update("plink_none", {}));

const address = `${link.url}?prefilled_email=parent17%40example.com&locale=de`;
assert.equal((await fetch(address)).status, 200);
assert.equal((await sessions.list({ payment_link: link.id })).data.length, 0, "looking makes nothing");
const goneOn = await fetch(address, { method: "POST", redirect: "manual" });
assert.equal(goneOn.status, 303);
const [visited] = (await sessions.list({ payment_link: link.id })).data;
assert.ok(goneOn.headers.get("location").endsWith(visited.id));
assert.deepEqual([visited.locale, visited.customer_email, visited.metadata.order_id], ["de", null, "41"]);
await links.update(link.id, { active: false, metadata: { order_id: "42" } });
assert.equal((await nextEvent(secret, "payment_link.updated")).data.previous_attributes.active, true);
await control(`pay/${visited.id}`, { card: "success" });
const completed = (await nextEvent(secret, "checkout.session.completed")).data.object;
assert.deepEqual([completed.payment_link, completed.metadata.order_id], [link.id, "41"], "open sessions stay payable");
assert.equal(completed.customer_details.email, "parent17@example.com");
const whole = await sessions.retrieve(visited.id, { expand: ["payment_link.line_items", "payment_intent"] });
assert.equal(whole.payment_link.restrictions.completed_sessions.count, 1);
assert.equal(whole.payment_link.line_items.data[0].price.id, price.id);
assert.equal(whole.payment_intent.metadata.order_id, "41");
assert.match(await (await fetch(link.url)).text(), /Paid, or withdrawn: ask the club\./);
console.log(`stripe-node ${Stripe.PACKAGE_VERSION}: a whole life of a session and of a link`);
endpoint.close();
endpoint.closeAllConnections();
