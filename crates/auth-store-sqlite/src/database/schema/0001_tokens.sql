-- One row for each name under which a tenant keeps a token. Times are milliseconds since 1970.
CREATE TABLE tokens (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The number of the last lease; until when it is good, zero when it was given back; and for how long it was taken.
    fence INTEGER NOT NULL CHECK (fence > 0),
    leased_until INTEGER NOT NULL,
    hold INTEGER NOT NULL,
    -- The sealed token (or the sealed note that it was removed), and the lease under which that was.
    token BLOB,
    token_fence INTEGER,
    -- The sealed intent, and the lease under which it was written.
    intent BLOB,
    intent_fence INTEGER,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
