-- Our own orders table: made only where no existing table is adopted. Other programs may write to it, so that one live
-- order for a registration is held by tourney_claims and not by an index here.
CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    tournament_id TEXT NOT NULL,
    player_id TEXT NOT NULL,
    fee_id TEXT NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents >= 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'paid', 'canceled', 'refunded')),
    stripe_checkout_session_id TEXT,
    stripe_payment_intent_id TEXT,
    checkout_url TEXT,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX orders_registration ON orders (tournament_id, player_id, fee_id);
CREATE INDEX orders_session ON orders (stripe_checkout_session_id);
