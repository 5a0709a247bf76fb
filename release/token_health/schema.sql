-- The tables of the token history, as docs/token-health.md explains them.
-- Times are whole seconds since 1970, UTC; the views show them as dates. Nothing here is secret.

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,
    ended INTEGER,               -- NULL: still running, or killed
    watched INTEGER NOT NULL,    -- the number of credentials
    exit INTEGER                 -- exit status
);

CREATE TABLE tokens (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,   -- the first 8 hex digits of the SHA-256
    identifier TEXT NOT NULL,    -- as on the account page; '' if it could not be read
    scope TEXT NOT NULL,
    expires INTEGER,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    UNIQUE (fingerprint, identifier)
);

CREATE TABLE watches (           -- what is checked: one location, for one project on one index
    id INTEGER PRIMARY KEY,
    index_name TEXT NOT NULL,
    upload_url TEXT NOT NULL,
    project TEXT NOT NULL,       -- '' if only the account is checked
    place TEXT NOT NULL,
    token INTEGER REFERENCES tokens,       -- the last token found there
    token_state TEXT,                      -- its state when it was last seen
    token_seen INTEGER,                    -- when it was last seen
    current INTEGER,                       -- its newest row in observations
    last_run INTEGER REFERENCES runs,
    UNIQUE (index_name, upload_url, project, place)
);
CREATE INDEX watches_by_run ON watches (last_run);

CREATE TABLE outcomes (          -- the state of each check, as JSON; many observations share one
    id INTEGER PRIMARY KEY,
    checks TEXT NOT NULL UNIQUE
);

CREATE TABLE observations (      -- one row for as long as nothing changes
    id INTEGER PRIMARY KEY,
    watch INTEGER NOT NULL REFERENCES watches,
    token INTEGER REFERENCES tokens,       -- NULL: no token, or it could not be read
    word TEXT NOT NULL,                    -- healthy, warning, broken, unknown
    state TEXT NOT NULL,                   -- more precise: expiring, expired, revoked
    cause TEXT NOT NULL,                   -- a known cause, or the check that warned
    outcome INTEGER NOT NULL REFERENCES outcomes,   -- of the last check, like message and remedy
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    count INTEGER NOT NULL,                -- how many runs saw it
    before INTEGER                         -- the preceding row
);
CREATE INDEX observations_by_watch ON observations (watch, id);
CREATE INDEX observations_by_time ON observations (first_seen);

CREATE TABLE announcements (     -- the last notification about each watch
    watch INTEGER PRIMARY KEY REFERENCES watches,
    word TEXT NOT NULL,
    state TEXT NOT NULL,
    cause TEXT NOT NULL,
    at INTEGER NOT NULL
);

CREATE TABLE outbox (            -- messages that have not been delivered yet
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    payload TEXT NOT NULL,
    created INTEGER NOT NULL,
    due INTEGER NOT NULL,                  -- not to be sent before
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT ''         -- of the last attempt
);
CREATE INDEX outbox_by_due ON outbox (due);

CREATE VIEW now AS
SELECT w.index_name, w.project, w.place, o.state, o.cause, o.message,
       datetime(o.first_seen, 'unixepoch') AS since, datetime(o.last_seen, 'unixepoch') AS last_seen,
       t.identifier, t.fingerprint, datetime(t.expires, 'unixepoch') AS expires
FROM watches w JOIN observations o ON o.id = w.current LEFT JOIN tokens t ON t.id = o.token;

CREATE VIEW changes AS
SELECT datetime(o.first_seen, 'unixepoch') AS at, w.index_name, w.project, w.place,
       p.state AS before, o.state AS after, o.cause, o.message, t.identifier, t.fingerprint
FROM observations o JOIN watches w ON w.id = o.watch
LEFT JOIN observations p ON p.id = o.before LEFT JOIN tokens t ON t.id = o.token
ORDER BY o.id DESC;
