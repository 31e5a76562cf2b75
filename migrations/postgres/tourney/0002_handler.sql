-- What the last round trip of `tourney verify` found of the application's webhook handler: one fact, the last word.

CREATE TABLE tourney_handler (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    endpoint TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    cancels BIGINT NOT NULL CHECK (cancels IN (0, 1))
);

-- What a tournament was called when it was last applied: a manifest that was copied keeps its id, and seldom its name.
CREATE TABLE tourney_names (
    tournament_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at BIGINT NOT NULL
);
