-- The places in the ledger of the events of each tenant, numbered by themselves: a tenant reads its own without reading those
-- of others, and a number says nothing of others.

CREATE TABLE tenant_events (
    tenant TEXT NOT NULL,
    -- Rises by one from 1 on.
    number INTEGER NOT NULL,
    seq INTEGER NOT NULL REFERENCES events (seq),
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

INSERT INTO tenant_events (tenant, number, seq)
    SELECT tenant, row_number() OVER (PARTITION BY tenant ORDER BY seq), seq
    FROM (SELECT seq, json_extract(text, '$.tenant') AS tenant FROM events);
