-- How often somebody has guessed lately, and asked for letters: leaky buckets, see domains/identity/src/throttle.

-- Global: what is counted are addresses and networks of people, before anybody knows in which company. A key is a keyed
-- hash of what it counts.
CREATE TABLE throttle (
    key      bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    -- When all that was poured in will have leaked out (the "theoretical arrival time" of the generic cell rate
    -- algorithm). In the past: the bucket is empty, and the row as good as none.
    empty_at timestamptz NOT NULL,
    -- How long a full bucket leaks. Here only for the one statement that pours to compare with.
    holds    interval NOT NULL
) WITH (fillfactor = 70);
GRANT SELECT, INSERT, DELETE ON throttle TO coulisse_server;
GRANT UPDATE (empty_at, holds) ON throttle TO coulisse_server;
