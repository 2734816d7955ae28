"""The tables of the ledger as numbered migrations: ``MIGRATIONS[n]`` takes a ledger from version n to n + 1.

The statements of a released migration never change; a new migration is added below it. The version is SQLite's ``user_version``.
"""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    -- The contents of files: equal bytes are one document.
    CREATE TABLE documents (
        sha256   TEXT PRIMARY KEY,
        kind     TEXT NOT NULL,
        pages    INTEGER NOT NULL,
        reason   TEXT,                 -- why it does not open; NULL when it does
        detail   TEXT NOT NULL DEFAULT '',
        chosen   TEXT,                 -- the template the classifier chose; NULL until it did
        stale    INTEGER NOT NULL DEFAULT 0,
        seen_at  TEXT NOT NULL
    ) WITHOUT ROWID;

    -- Files: where a document is and where its result goes.
    CREATE TABLE files (
        path          BLOB PRIMARY KEY, -- absolute, as the file system's bytes: names need not be text
        name          TEXT NOT NULL UNIQUE, -- below the outbox, without '.json'
        relative      TEXT NOT NULL,    -- below the inbox: what routes match
        sha256        TEXT NOT NULL,
        size          INTEGER NOT NULL,
        mtime_ns      INTEGER NOT NULL,
        published     TEXT,             -- sha256 of the contents whose result is in the outbox; NULL when none is
        recipes       TEXT,             -- JSON: template -> recipe of that result
        status        TEXT,             -- of the published document
        reason        TEXT,
        published_at  TEXT,
        told          TEXT NOT NULL DEFAULT '[]', -- JSON: templates that the user named on the command line
        stale         INTEGER NOT NULL DEFAULT 0 -- to be read again; what is published stays until then
    ) WITHOUT ROWID;
    CREATE INDEX files_by_document ON files (sha256);

    CREATE VIEW known AS
        SELECT files.*, documents.chosen, documents.reason IS NOT NULL AS unreadable
        FROM files LEFT JOIN documents USING (sha256);

    -- Units of work: one page, one template, one recipe.
    CREATE TABLE units (
        sha256    TEXT NOT NULL,
        page      INTEGER NOT NULL,
        template  TEXT NOT NULL,
        recipe    TEXT NOT NULL,
        status    TEXT NOT NULL CHECK (status IN ('done', 'blank', 'failed', 'skipped')),
        reason    TEXT,
        detail    TEXT NOT NULL DEFAULT '',
        source    TEXT,
        fields    TEXT,                 -- JSON of the evidence by field
        seconds   REAL NOT NULL DEFAULT 0,
        stale     INTEGER NOT NULL DEFAULT 0, -- to be read again, though kept until it is
        ended_at  TEXT NOT NULL,
        PRIMARY KEY (sha256, template, recipe, page)
    );
    CREATE INDEX units_by_end ON units (ended_at);

    -- Engine and versions of each recipe, so that results can be published again without that engine.
    CREATE TABLE recipes (
        recipe    TEXT PRIMARY KEY,
        template  TEXT NOT NULL,
        engine    TEXT NOT NULL,
        versions  TEXT NOT NULL         -- JSON: library -> version
    ) WITHOUT ROWID;

    -- Questions of the command line. Each is a template, which is built again from its text.
    CREATE TABLE questions (
        template  TEXT PRIMARY KEY,
        question  TEXT NOT NULL
    ) WITHOUT ROWID;

    -- CSV files that grow by appending: the length in bytes up to which each is complete.
    CREATE TABLE sheets (
        name     TEXT PRIMARY KEY,
        columns  TEXT NOT NULL,
        bytes    INTEGER NOT NULL,
        dirty    INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    """,
    """
    -- Retries of units with a retryable failure.
    ALTER TABLE units ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1; -- consecutive attempts without success
    ALTER TABLE files ADD COLUMN retry_at TEXT;                       -- when it is due to be read again; NULL: never automatically

    -- Units that the engine held when the program crashed. They may have caused the crash.
    CREATE TABLE deaths (
        sha256    TEXT NOT NULL,
        page      INTEGER NOT NULL,
        template  TEXT NOT NULL,
        recipe    TEXT NOT NULL,
        count     INTEGER NOT NULL,
        PRIMARY KEY (sha256, page, template, recipe)
    ) WITHOUT ROWID;
    """,
    """
    -- The rotation that makes a scan upright. Boxes refer to the page after it.
    ALTER TABLE units ADD COLUMN turned INTEGER NOT NULL DEFAULT 0; -- degrees clockwise
    """,
    """
    -- Corrections of fields by people. All are kept; the latest one of a field holds.
    CREATE TABLE corrections (
        sha256    TEXT NOT NULL,
        template  TEXT NOT NULL,
        field     TEXT NOT NULL,
        version   INTEGER NOT NULL,     -- 1, 2, …: a correction names the version that its author saw, plus one
        value     TEXT,                 -- JSON; NULL: withdrawn, the read value holds again
        before    TEXT NOT NULL,        -- JSON: the value that it replaced
        by        TEXT NOT NULL,
        at        TEXT NOT NULL,
        PRIMARY KEY (sha256, template, field, version)
    ) WITHOUT ROWID;

    -- Orders to the running process: answer a question about a page, read a document in another way, publish a corrected one.
    CREATE TABLE orders (
        id        INTEGER PRIMARY KEY,
        kind      TEXT NOT NULL CHECK (kind IN ('question', 'reading', 'publishing')),
        sha256    TEXT NOT NULL,
        details   TEXT NOT NULL,        -- JSON, by kind
        by        TEXT NOT NULL,
        at        TEXT NOT NULL,
        ended_at  TEXT,                 -- NULL while it is open
        outcome   TEXT                  -- JSON, by kind
    );
    CREATE INDEX open_orders ON orders (id) WHERE ended_at IS NULL;
    CREATE INDEX orders_by_document ON orders (sha256, kind);

    -- The result of an ordered reading stays until the file changes or is reprocessed.
    ALTER TABLE files ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
    -- JSON: fields of the published result that a person should review, and those that a person corrected; NULL in older results.
    ALTER TABLE files ADD COLUMN review TEXT;
    ALTER TABLE files ADD COLUMN corrected TEXT;
    """,
)
