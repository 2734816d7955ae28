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
    """
    -- Where a file is, as a column of its own. A result's name identifies the row; deleted files have no path.
    DROP VIEW known;
    CREATE TABLE placed_files (
        name          TEXT PRIMARY KEY, -- below the outbox, without '.json'
        path          BLOB UNIQUE,      -- absolute, as the file system's bytes; NULL: it was deleted after it was read
        place         TEXT NOT NULL DEFAULT 'original' CHECK (place IN ('original', 'archive', 'failed', 'deleted')),
        deleted_path  BLOB,             -- where a deleted file was
        archived_at   TEXT,             -- when it was moved or deleted
        watched       INTEGER NOT NULL DEFAULT 0, -- whether changes of a moved file are still looked for
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
        stale         INTEGER NOT NULL DEFAULT 0, -- to be read again; what is published stays until then
        retry_at      TEXT,             -- when it is due to be read again; NULL: never automatically
        pinned        INTEGER NOT NULL DEFAULT 0, -- the result of an ordered reading stays
        review        TEXT,             -- JSON: fields that a person should review
        corrected     TEXT,             -- JSON: fields that a person corrected
        CHECK ((path IS NULL) = (place = 'deleted'))
    ) WITHOUT ROWID;

    -- Older versions marked the path of a deleted file with ' (put away, NAME)', some of them once more at every start.
    WITH RECURSIVE stripped (name, path, marks) AS (
        SELECT name, path, 0 FROM files
        UNION ALL
        SELECT name, substr(path, 1, length(path) - length(CAST(' (put away, ' || name || ')' AS BLOB))), marks + 1 FROM stripped
        WHERE substr(path, -length(CAST(' (put away, ' || name || ')' AS BLOB))) = CAST(' (put away, ' || name || ')' AS BLOB)
    ), latest AS (SELECT name, max(marks) AS marks, path FROM stripped GROUP BY name)
    INSERT INTO placed_files (
        name, path, place, deleted_path, relative, sha256, size, mtime_ns, published, recipes, status, reason, published_at, told,
        stale, retry_at, pinned, review, corrected
    )
    SELECT name, CASE WHEN marks = 0 THEN files.path END, CASE WHEN marks = 0 THEN 'original' ELSE 'deleted' END,
        CASE WHEN marks > 0 THEN latest.path END, relative, sha256, size, mtime_ns, published, recipes, status, reason,
        published_at, told, stale, retry_at, pinned, review, corrected
    FROM files JOIN latest USING (name);

    DROP TABLE files;
    ALTER TABLE placed_files RENAME TO files;
    CREATE INDEX files_by_document ON files (sha256);
    CREATE INDEX watched_files ON files (name) WHERE watched;
    CREATE VIEW known AS
        SELECT files.*, documents.chosen, documents.reason IS NOT NULL AS unreadable
        FROM files LEFT JOIN documents USING (sha256);

    -- Files that are about to be moved or deleted. A row is on the disk before the file is touched, and goes when that is done.
    CREATE TABLE removals (
        path      BLOB PRIMARY KEY,     -- where the file is
        place     TEXT NOT NULL CHECK (place IN ('archive', 'failed', 'deleted')),
        target    BLOB,                 -- where it is moved to; NULL: it is deleted
        claim     BLOB,                 -- the name that it has meanwhile in its own folder; NULL in an object store
        device    INTEGER NOT NULL,     -- as the file was when it was read
        inode     INTEGER NOT NULL,
        folder    INTEGER NOT NULL,     -- inode of its folder: another one is another file system, or the share is not mounted
        size      INTEGER NOT NULL,
        mtime_ns  INTEGER NOT NULL,
        sha256    TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    -- Files of the outbox that the program writes again, as it wrote them last: a file that differs is somebody else's.
    CREATE TABLE written_files (
        path       BLOB PRIMARY KEY,    -- the name in the outbox, or an absolute path, as the file system's bytes
        size       INTEGER NOT NULL,
        crc        INTEGER NOT NULL,    -- CRC-32 of these bytes
        stamp      TEXT NOT NULL,       -- device, inode and times; another stamp means that the checksum decides
        next_size  INTEGER,             -- after the write that has begun; NULL when none has
        next_crc   INTEGER
    ) WITHOUT ROWID;
    """,
    """
    -- Results of files that were renamed or moved within the inbox: to be published again under these names.
    CREATE TABLE renamed_results (name TEXT PRIMARY KEY) WITHOUT ROWID;
    -- Results without a document: their files are to be removed from the outbox. A row goes when that is done.
    CREATE TABLE obsolete_results (name TEXT PRIMARY KEY) WITHOUT ROWID;
    -- Folders of the inbox as they were when files were found in them. An unmounted share leaves another folder at the same path.
    CREATE TABLE inbox_folders (
        path      BLOB PRIMARY KEY,     -- absolute
        inode     TEXT NOT NULL,        -- the file system's number of it; text, because some exceed 63 bits
        is_mount  INTEGER NOT NULL      -- whether it lies on another file system than the folder around it
    ) WITHOUT ROWID;
    CREATE INDEX files_by_size ON files (size);
    -- The file system's number of a file: tells apart two files of one size and time that have changed places.
    ALTER TABLE files ADD COLUMN inode TEXT;
    """,
    """
    -- Time that readers and the engine have spent on a document that is not published yet.
    ALTER TABLE documents ADD COLUMN seconds REAL NOT NULL DEFAULT 0;
    """,
    """
    -- Documents that the group or others may not read: their results must not be more readable. A document without a row withholds nothing.
    CREATE TABLE withheld_rights (
        sha256  TEXT PRIMARY KEY,
        rights  INTEGER NOT NULL        -- of the mode of a file: 32 for the group, 4 for others
    ) WITHOUT ROWID;
    """,
    """
    -- Several files of one path may be about to leave: an earlier one whose share is not there, and one that has come since.
    CREATE TABLE all_removals (
        id        INTEGER PRIMARY KEY,
        path      BLOB NOT NULL,        -- where the file is
        place     TEXT NOT NULL CHECK (place IN ('archive', 'failed', 'deleted')),
        target    BLOB,                 -- where it is moved to; NULL: it is deleted
        claim     BLOB,                 -- the name that it has meanwhile in its own folder; NULL in an object store
        device    INTEGER NOT NULL,     -- as the file was when it was read
        inode     INTEGER NOT NULL,
        folder    INTEGER NOT NULL,     -- inode of its folder: another one is another file system, or the share is not mounted
        size      INTEGER NOT NULL,
        mtime_ns  INTEGER NOT NULL,
        sha256    TEXT NOT NULL
    );
    INSERT INTO all_removals (path, place, target, claim, device, inode, folder, size, mtime_ns, sha256)
    SELECT path, place, target, claim, device, inode, folder, size, mtime_ns, sha256 FROM removals ORDER BY path;
    DROP TABLE removals;
    ALTER TABLE all_removals RENAME TO removals;
    CREATE INDEX removals_by_path ON removals (path);
    """,
    """
    -- The bytes that the write that has begun appends: what a crash or a power cut left of them is the program's own.
    ALTER TABLE written_files ADD COLUMN next_tail BLOB;
    """,
    """
    -- What corrections have taught about documents of one sender (`pipeline learn`). A row never changes, except that it is undone once.
    CREATE TABLE lessons (
        number    INTEGER PRIMARY KEY, -- in the flag `learned:NUMBER` of values
        template  TEXT NOT NULL,
        content   TEXT NOT NULL,        -- JSON: sender, and what each field has learned
        replay    TEXT NOT NULL,        -- JSON: how many values it mended and broke when it was recorded, by field
        at        TEXT NOT NULL,
        undone_at TEXT                  -- NULL while it is used
    );
    """,
    """
    -- What equal documents share, as the seller with the number of an invoice.
    CREATE TABLE duplicate_keys (
        key       TEXT NOT NULL,
        sha256    TEXT NOT NULL,
        first_ns  INTEGER NOT NULL,     -- when the document had this key first, in nanoseconds since 1970: earlier ones are named
        PRIMARY KEY (key, sha256)
    ) WITHOUT ROWID;
    CREATE INDEX duplicate_keys_of_document ON duplicate_keys (sha256);
    """,
    """
    -- What each page of a file with several pages shows about where a document begins. A row is committed with the units of its page.
    CREATE TABLE page_marks (
        sha256  TEXT NOT NULL,
        page    INTEGER NOT NULL,
        marks   TEXT NOT NULL,           -- JSON
        PRIMARY KEY (sha256, page)
    ) WITHOUT ROWID;

    -- How a file is split into documents, with the evidence. A file without a row is one document.
    CREATE TABLE splits (
        name      TEXT PRIMARY KEY,      -- of the file's result
        sha256    TEXT NOT NULL,         -- of the contents that were split
        decision  TEXT NOT NULL          -- JSON
    ) WITHOUT ROWID;

    -- How people split files with these contents. It precedes what the program decides.
    CREATE TABLE person_splits (
        sha256    TEXT PRIMARY KEY,
        decision  TEXT NOT NULL,         -- JSON
        by        TEXT NOT NULL,
        at        TEXT NOT NULL
    ) WITHOUT ROWID;

    -- The documents that a file is split into, each with its result. A row is there before its result is written.
    CREATE TABLE parts (
        name          TEXT PRIMARY KEY,  -- below the outbox, without '.json'
        file          TEXT NOT NULL,     -- the name of the file's own result
        label         TEXT NOT NULL,     -- which pages, for people: 1-3
        sha256        TEXT NOT NULL,
        pages         TEXT NOT NULL,     -- JSON: pages, copies, sheet_part
        key           TEXT NOT NULL,     -- what corrections are recorded under
        published     TEXT,              -- sha256 of the contents whose result is in the outbox; NULL when none is
        recipes       TEXT,              -- as in files, and so the others
        status        TEXT,
        reason        TEXT,
        published_at  TEXT,
        review        TEXT,
        corrected     TEXT
    ) WITHOUT ROWID;
    CREATE INDEX parts_by_file ON parts (file);

    -- Every result: those of files, and those of the documents that files are split into.
    CREATE VIEW results AS
        SELECT name, path, place, deleted_path, archived_at, relative, sha256, size, mtime_ns, published, recipes, status, reason,
            published_at, told, stale, retry_at, pinned, review, corrected, inode, chosen, unreadable,
            published AS key, NULL AS file, NULL AS part, EXISTS (SELECT 1 FROM parts WHERE parts.file = known.name) AS is_split
        FROM known
        UNION ALL
        SELECT parts.name, path, place, deleted_path, archived_at, known.relative || '/' || parts.label, parts.sha256, size, mtime_ns,
            parts.published, parts.recipes, parts.status, parts.reason, parts.published_at, told, stale, retry_at, pinned,
            parts.review, parts.corrected, inode, chosen, unreadable, parts.key,
            parts.file, parts.pages, 0
        FROM parts JOIN known ON known.name = parts.file;
    """,
    """
    -- Parts of containers (archives, mails, documents with attachments) in their order. Number 0 is the outermost container itself.
    CREATE TABLE contained (
        root      TEXT NOT NULL,        -- name of the outermost container's result
        number    INTEGER NOT NULL,     -- in the order in which they come out
        parent    TEXT NOT NULL,        -- name of the result of the container that holds it
        name      TEXT,                 -- name of its own result; NULL: it was declined
        shown     TEXT NOT NULL,        -- its name in the container; empty: a problem of the container itself
        status    TEXT,                 -- NULL while it is read
        reason    TEXT,
        detail    TEXT NOT NULL DEFAULT '',
        mail      TEXT,                 -- JSON: header of the mail that it is or that holds it
        PRIMARY KEY (root, number)
    ) WITHOUT ROWID;
    CREATE INDEX contained_by_parent ON contained (parent, number);
    CREATE INDEX contained_by_name ON contained (name) WHERE name IS NOT NULL;
    ALTER TABLE documents ADD COLUMN attachments INTEGER NOT NULL DEFAULT 0; -- documents inside of a document
    DROP VIEW known;
    CREATE VIEW known AS
        SELECT files.*, documents.chosen, documents.reason IS NOT NULL AS unreadable, documents.kind,
            EXISTS (SELECT 1 FROM contained WHERE root = files.name) AS has_parts
        FROM files LEFT JOIN documents USING (sha256);
    """,
    """
    -- JSON Schemas of the command line and the Python API, by the template that was made of each.
    CREATE TABLE schemas (
        template  TEXT PRIMARY KEY,
        schema    TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    -- What people decided about whole documents. All decisions are kept; the latest one of a document holds.
    CREATE TABLE document_states (
        key       TEXT NOT NULL,        -- what corrections of the document are recorded under
        version   INTEGER NOT NULL,     -- 1, 2, …
        state     TEXT NOT NULL CHECK (state IN ('to_check', 'approved', 'exported')),
        by        TEXT NOT NULL,        -- empty: the program, because values have changed
        at        TEXT NOT NULL,
        PRIMARY KEY (key, version)
    ) WITHOUT ROWID;
    CREATE TABLE comments (
        key       TEXT NOT NULL,
        number    INTEGER NOT NULL,     -- 1, 2, …
        text      TEXT NOT NULL,
        by        TEXT NOT NULL,
        at        TEXT NOT NULL,
        PRIMARY KEY (key, number)
    ) WITHOUT ROWID;
    """,
    """
    -- The words of pages, by which people find documents. A row is committed with the units of its page.
    CREATE TABLE page_texts (
        sha256  TEXT NOT NULL,
        page    INTEGER NOT NULL,
        text    BLOB NOT NULL,          -- UTF-8, compressed by zlib
        PRIMARY KEY (sha256, page)
    ) WITHOUT ROWID;

    -- JSON: what lists show of a published result (see publish.list_values); NULL in older results.
    ALTER TABLE files ADD COLUMN listed TEXT;
    ALTER TABLE parts ADD COLUMN listed TEXT;
    CREATE INDEX files_by_published ON files (published);
    CREATE INDEX parts_by_key ON parts (key);

    -- When each result changed last, in the order of the changes: the index of documents follows it (see ledger.list_index).
    CREATE TABLE list_changes (
        name    TEXT PRIMARY KEY,       -- also of results that are no longer there
        number  INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX list_changes_in_order ON list_changes (number);
    CREATE TABLE list_clock (number INTEGER NOT NULL, ledger TEXT NOT NULL); -- the last number; which ledger it is
    INSERT INTO list_clock VALUES (1, lower(hex(randomblob(16))));
    INSERT INTO list_changes SELECT name, 1 FROM files UNION SELECT name, 1 FROM parts;

    CREATE TRIGGER listed_file AFTER INSERT ON files BEGIN
        UPDATE list_clock SET number = number + 1;
        INSERT INTO list_changes SELECT name, number FROM (
            SELECT NEW.name AS name
        ), list_clock WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number;
    END;
    CREATE TRIGGER listed_change
        AFTER UPDATE OF name, relative, sha256, published, recipes, status, reason, published_at, review, corrected, listed
        ON files BEGIN
        UPDATE list_clock SET number = number + 1;
        INSERT INTO list_changes SELECT name, number FROM (
            SELECT OLD.name AS name
            UNION SELECT NEW.name
            UNION SELECT name FROM parts WHERE file = NEW.name
        ), list_clock WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number;
    END;
    CREATE TRIGGER listed_removal AFTER DELETE ON files BEGIN
        UPDATE list_clock SET number = number + 1;
        INSERT INTO list_changes SELECT name, number FROM (
            SELECT OLD.name AS name
        ), list_clock WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number;
    END;
    CREATE TRIGGER listed_part AFTER INSERT ON parts BEGIN
        UPDATE list_clock SET number = number + 1;
        INSERT INTO list_changes SELECT name, number FROM (
            SELECT NEW.name AS name
            UNION SELECT NEW.file
        ), list_clock WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number;
    END;
    CREATE TRIGGER listed_part_change AFTER UPDATE ON parts BEGIN
        UPDATE list_clock SET number = number + 1;
        INSERT INTO list_changes SELECT name, number FROM (
            SELECT OLD.name AS name
            UNION SELECT NEW.name
            UNION SELECT OLD.file
            UNION SELECT NEW.file
        ), list_clock WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number;
    END;
    CREATE TRIGGER listed_part_removal AFTER DELETE ON parts BEGIN
        UPDATE list_clock SET number = number + 1;
        INSERT INTO list_changes SELECT name, number FROM (
            SELECT OLD.name AS name
            UNION SELECT OLD.file
        ), list_clock WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number;
    END;
    CREATE TRIGGER listed_state AFTER INSERT ON document_states BEGIN
        UPDATE list_clock SET number = number + 1;
        INSERT INTO list_changes SELECT name, number FROM (
            SELECT name FROM files WHERE published = NEW.key
            UNION SELECT name FROM parts WHERE key = NEW.key
        ), list_clock WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number;
    END;
    CREATE TRIGGER listed_state_removal AFTER DELETE ON document_states BEGIN
        UPDATE list_clock SET number = number + 1;
        INSERT INTO list_changes SELECT name, number FROM (
            SELECT name FROM files WHERE published = OLD.key
            UNION SELECT name FROM parts WHERE key = OLD.key
        ), list_clock WHERE true ON CONFLICT (name) DO UPDATE SET number = excluded.number;
    END;
    """,
    """
    -- Fields of the further documents on a page: a JSON list of what "fields" holds of the first one. NULL for most pages.
    ALTER TABLE units ADD COLUMN others TEXT;
    """,
)
