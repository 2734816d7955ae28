"""The tables of the ledger, as numbered migrations: ``MIGRATIONS[n]`` lifts a ledger from version n to n + 1.

A migration that has shipped is never changed; a new one is added below it. The version is SQLite's ``user_version``.
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

    -- The names of files: where a document lies and where its result goes.
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
        told          TEXT NOT NULL DEFAULT '[]', -- JSON: templates that somebody named on the command line
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

    -- What a recipe stands for, so that results can be published again without the engine that made them.
    CREATE TABLE recipes (
        recipe    TEXT PRIMARY KEY,
        template  TEXT NOT NULL,
        engine    TEXT NOT NULL,
        versions  TEXT NOT NULL         -- JSON: library -> version
    ) WITHOUT ROWID;

    -- Questions asked on the command line; each is a template of its own, made again from its text.
    CREATE TABLE questions (
        template  TEXT PRIMARY KEY,
        question  TEXT NOT NULL
    ) WITHOUT ROWID;

    -- Spreadsheets that grow by appending: how long each is known to be good.
    CREATE TABLE sheets (
        name     TEXT PRIMARY KEY,
        columns  TEXT NOT NULL,
        bytes    INTEGER NOT NULL,
        dirty    INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    """,
    """
    -- Trying again what failed for a reason that may pass.
    ALTER TABLE units ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1; -- how often it was read in a row without success
    ALTER TABLE files ADD COLUMN retry_at TEXT;                       -- when it is due to be read again; NULL: never by itself

    -- Units that were with the engine when a run died: evidence, not proof, that they killed it.
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
    -- How a scan was turned to stand upright: without it no page can be drawn on which the boxes fit.
    ALTER TABLE units ADD COLUMN turned INTEGER NOT NULL DEFAULT 0; -- degrees clockwise
    """,
    """
    -- What people say a field is: every word of theirs is kept, the last one about a field holds.
    CREATE TABLE corrections (
        sha256    TEXT NOT NULL,
        template  TEXT NOT NULL,
        field     TEXT NOT NULL,
        version   INTEGER NOT NULL,     -- 1, 2, … : who corrects says which one they saw
        value     TEXT,                 -- JSON; NULL: withdrawn, what was read holds again
        before    TEXT NOT NULL,        -- JSON: the value that it took the place of
        by        TEXT NOT NULL,
        at        TEXT NOT NULL,
        PRIMARY KEY (sha256, template, field, version)
    ) WITHOUT ROWID;

    -- What people ask of the run at work: answer a question about a page, read a document in another way, publish a corrected one.
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

    -- Read in a way that somebody asked for: stays so until the file changes or is reprocessed.
    ALTER TABLE files ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
    -- JSON: fields of the published result that a person should look at, and those that one corrected; NULL where it is older than this.
    ALTER TABLE files ADD COLUMN review TEXT;
    ALTER TABLE files ADD COLUMN corrected TEXT;
    """,
)
