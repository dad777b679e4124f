-- Credentials and the ledger of what happened to them. Moments are 12 bytes, big-endian: 8 of seconds since 1970 and 4 of
-- nanoseconds, so that their order is that of time. Digests have 32 bytes.

CREATE TABLE services (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    label TEXT NOT NULL,
    created BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX services_of_tenant ON services (tenant, id);

CREATE TABLE credential_groups (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    -- Empty for a group of the tenant itself.
    service TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    latest BLOB NOT NULL,
    -- Moments one after the other.
    creations BLOB NOT NULL,
    next_due BLOB,
    UNIQUE (tenant, service, kind)
) STRICT;
CREATE INDEX groups_due ON credential_groups (next_due) WHERE next_due IS NOT NULL;

CREATE TABLE credentials (
    -- Grows in the order of creation. A row stays for good: its name never returns.
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    group_number INTEGER NOT NULL REFERENCES credential_groups (number),
    state TEXT NOT NULL,
    -- Null when it is found no more.
    found_by BLOB,
    fingerprint BLOB NOT NULL,
    -- The credential as its program reads it.
    rest TEXT NOT NULL
) STRICT;
CREATE INDEX credentials_of_group ON credentials (group_number, number) WHERE state <> 'deleted';
CREATE INDEX credentials_found_by ON credentials (found_by) WHERE found_by IS NOT NULL;

-- Every fingerprint that there ever was, and whose: a row is never changed or removed.
CREATE TABLE fingerprints (
    fingerprint BLOB NOT NULL PRIMARY KEY,
    credential INTEGER NOT NULL REFERENCES credentials (number)
) STRICT, WITHOUT ROWID;

-- The ledger: a row is never changed or removed.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    -- Of this event and all before it.
    hash BLOB NOT NULL,
    -- Digests one after the other.
    touched BLOB NOT NULL
) STRICT;

CREATE TABLE answers (
    name BLOB NOT NULL PRIMARY KEY,
    command BLOB NOT NULL,
    answer BLOB NOT NULL,
    given BLOB NOT NULL,
    ends BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_ending ON answers (ends);

-- The last uses of a credential, one of each source: the latest first, each a moment and 17 bytes of where from.
CREATE TABLE uses (
    credential TEXT NOT NULL PRIMARY KEY,
    uses BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    fence INTEGER NOT NULL,
    taken BLOB NOT NULL,
    ends BLOB NOT NULL
) STRICT, WITHOUT ROWID;
