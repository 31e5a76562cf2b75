"""A club's own application: orders of players for products, paid through Stripe Checkout.

It knows nothing of tourney. Its schema and its webhook handler are its own; `environments.yaml` beside it is all that
tourney needs to plan, apply and verify on its database.
"""

import enum
import json
import os
from datetime import datetime, timezone

import stripe
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from sqlalchemy import DateTime, Enum, ForeignKey, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine(os.environ["DATABASE_URL"])
webhook_secret = os.environ["STRIPE_WEBHOOK_SECRET"]
stripe.api_key = os.environ.get("STRIPE_SECRET_KEY")
if "STRIPE_API_BASE" in os.environ:
    stripe.api_base = os.environ["STRIPE_API_BASE"]

# How handlers go wrong, one at a time, to see what `tourney verify` says of each: signatures, field, error, fetch, expired.
fault = os.environ.get("CLUB_FAULT", "")


class Base(DeclarativeBase):
    pass


class OrderStatus(enum.Enum):
    pending = "pending"
    paid = "paid"
    cancelled = "cancelled"
    refunded = "refunded"


class Player(Base):
    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    parent_email: Mapped[str | None] = mapped_column(String(255))


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))


def now() -> datetime:
    return datetime.now(timezone.utc)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"), index=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    amount_cents: Mapped[int]
    status: Mapped[OrderStatus] = mapped_column(Enum(OrderStatus, name="order_status"), default=OrderStatus.pending)
    source: Mapped[str] = mapped_column(String(20), default="web")
    stripe_checkout_session_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    stripe_payment_intent_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, onupdate=now)


class Receipt(Base):
    __tablename__ = "receipts"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))


Base.metadata.create_all(engine)
app = FastAPI(title="club-api")


@app.get("/orders/{order_id}")
def order(order_id: int) -> dict:
    with Session(engine) as db:
        found = db.get(Order, order_id)
        if found is None:
            raise HTTPException(404)
        return {"id": found.id, "player": found.player_id, "status": found.status.value}


@app.post("/webhooks/stripe")
async def stripe_webhook(request: Request) -> dict:
    body = await request.body()
    try:
        event = verified(body, request.headers.get("stripe-signature", ""))
    except (ValueError, stripe.SignatureVerificationError) as error:
        raise HTTPException(400, "bad signature") from error
    if fault == "error":
        raise HTTPException(500, "the handler is broken")
    session = event.data.object
    if event.type == "checkout.session.completed":
        completed(session)
    elif event.type == "checkout.session.expired" and fault == "expired":
        cancel(session)
    return {"received": True}


def verified(body: bytes, signature: str) -> stripe.Event:
    if fault == "signatures":
        return stripe.Event.construct_from(json.loads(body), stripe.api_key)
    return stripe.Webhook.construct_event(body, signature, webhook_secret)


def order_of(session: stripe.checkout.Session) -> int | None:
    metadata = session.metadata.to_dict() if session.metadata else {}
    value = metadata.get("orderId" if fault == "field" else "order_id")
    return int(value) if value else None


def completed(session: stripe.checkout.Session) -> None:
    if fault == "fetch":
        session = stripe.checkout.Session.retrieve(session.id)
    order_id = order_of(session)
    if order_id is None or session.payment_status != "paid":
        return
    with Session(engine) as db, db.begin():
        order = db.get(Order, order_id, with_for_update=True)
        if order is None or order.status is not OrderStatus.pending:
            return
        order.status = OrderStatus.paid
        order.stripe_payment_intent_id = session.payment_intent
        db.add(Receipt(order_id=order.id))


def cancel(session: stripe.checkout.Session) -> None:
    with Session(engine) as db, db.begin():
        order = db.get(Order, order_of(session))
        if order is not None and order.status is OrderStatus.pending:
            order.status = OrderStatus.cancelled


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), log_level="warning")
