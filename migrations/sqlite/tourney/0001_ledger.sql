-- tourney's own tables. Ids are TEXT, times are seconds since 1970 UTC, money is in minor units.

CREATE TABLE tourney_ledger (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    ledger_id TEXT NOT NULL,
    account TEXT,
    mode TEXT CHECK (mode IN ('test', 'live'))
);

-- At most one live order for a registration, on any orders table.
CREATE TABLE tourney_claims (
    tournament_id TEXT NOT NULL,
    player_id TEXT NOT NULL,
    fee_id TEXT NOT NULL,
    order_id TEXT NOT NULL UNIQUE,
    PRIMARY KEY (tournament_id, player_id, fee_id)
);

CREATE TABLE tourney_attempts (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    tournament_id TEXT NOT NULL,
    player_id TEXT NOT NULL,
    fee_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    expires_at BIGINT,
    began_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'recorded', 'abandoned')),
    held_session_id TEXT,
    session_id TEXT,
    why TEXT
);
CREATE UNIQUE INDEX tourney_attempts_open ON tourney_attempts (order_id) WHERE state = 'open';
CREATE INDEX tourney_attempts_order ON tourney_attempts (order_id);

CREATE TABLE tourney_retired (
    order_id TEXT PRIMARY KEY,
    tournament_id TEXT,
    player_id TEXT NOT NULL,
    fee_id TEXT NOT NULL,
    session_id TEXT,
    how TEXT NOT NULL CHECK (how IN ('cancel', 'delete')),
    reason TEXT NOT NULL,
    retired_at BIGINT NOT NULL,
    made_at BIGINT,
    row_copy TEXT NOT NULL
);

CREATE TABLE tourney_events (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    session_id TEXT,
    payment_intent_id TEXT,
    body TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    outcome TEXT CHECK (outcome IN ('recorded', 'no-effect', 'unmatched')),
    detail TEXT
);
CREATE INDEX tourney_events_outcome ON tourney_events (outcome, received_at);

CREATE TABLE tourney_lock (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    run_id TEXT,
    who TEXT,
    since BIGINT,
    heartbeat BIGINT,
    fence BIGINT NOT NULL
);
INSERT INTO tourney_lock (one, fence) VALUES (1, 0);

CREATE TABLE tourney_runs (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    command TEXT NOT NULL,
    tournament_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    who TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    outcome TEXT,
    summary TEXT
);

CREATE TABLE tourney_run_steps (
    n INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    at BIGINT NOT NULL,
    player_id TEXT,
    fee_id TEXT,
    action TEXT NOT NULL,
    order_id TEXT,
    session_id TEXT,
    outcome TEXT NOT NULL,
    detail TEXT,
    UNIQUE (run_id, digest)
);

CREATE TABLE tourney_canaries (
    run_id TEXT PRIMARY KEY,
    tournament_id TEXT NOT NULL,
    player_id TEXT NOT NULL,
    fee_id TEXT NOT NULL,
    order_id TEXT,
    sessions TEXT NOT NULL,
    closed BIGINT NOT NULL DEFAULT 0
);
