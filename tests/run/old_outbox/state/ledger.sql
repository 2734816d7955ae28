PRAGMA user_version = 4;
BEGIN TRANSACTION;
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
INSERT INTO "corrections" VALUES('dc7b9aaa4776fe6fd484533604b9046b2cb1c3c53522909621eb72af31d0398a','invoice','vendor_name',1,'"Harrow Lane Tools Limited"','"Harrow Lane Tools Ltd"','Anna','2026-01-01T00:00:00Z');
CREATE TABLE deaths (
        sha256    TEXT NOT NULL,
        page      INTEGER NOT NULL,
        template  TEXT NOT NULL,
        recipe    TEXT NOT NULL,
        count     INTEGER NOT NULL,
        PRIMARY KEY (sha256, page, template, recipe)
    ) WITHOUT ROWID;
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
INSERT INTO "documents" VALUES('b3bfd8134da3203474cdd311f89817afd821e69b924343efaa13e764cbce6527','pdf',2,NULL,'','transcript',0,'2026-11-29T12:59:04.054Z');
INSERT INTO "documents" VALUES('d2577fb52b12cf5f32028ab2e2a6a58646ee21ab5f791fe7425927f24d7f6443','',0,'unreadable','MuPDF: Failed to open file ''{inbox}/broken.pdf'' as type pdf.',NULL,0,'2026-11-29T12:59:03.954Z');
INSERT INTO "documents" VALUES('dc7b9aaa4776fe6fd484533604b9046b2cb1c3c53522909621eb72af31d0398a','pdf',1,NULL,'','invoice',0,'2026-11-29T12:59:03.953Z');
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
    , retry_at TEXT, pinned INTEGER NOT NULL DEFAULT 0, review TEXT, corrected TEXT) WITHOUT ROWID;
INSERT INTO "files" VALUES(CAST('{inbox}/bills/invoice.pdf' AS BLOB),'bills/invoice.pdf','bills/invoice.pdf','dc7b9aaa4776fe6fd484533604b9046b2cb1c3c53522909621eb72af31d0398a',42673,1000000000000000000,'dc7b9aaa4776fe6fd484533604b9046b2cb1c3c53522909621eb72af31d0398a','{"invoice": "8e0d26bd3577186e"}','done',NULL,'2026-11-29T12:59:05.201Z','[]',0,NULL,0,'[]','["vendor_name"]');
INSERT INTO "files" VALUES(CAST('{inbox}/broken.pdf' AS BLOB),'broken.pdf','broken.pdf','d2577fb52b12cf5f32028ab2e2a6a58646ee21ab5f791fe7425927f24d7f6443',19,1000000000000000000,'d2577fb52b12cf5f32028ab2e2a6a58646ee21ab5f791fe7425927f24d7f6443','{}','failed','unreadable','2026-11-29T12:59:04.447Z','[]',0,NULL,0,'[]','[]');
INSERT INTO "files" VALUES(CAST('{inbox}/letter.pdf' AS BLOB),'letter.pdf','letter.pdf','b3bfd8134da3203474cdd311f89817afd821e69b924343efaa13e764cbce6527',1998,1000000000000000000,'b3bfd8134da3203474cdd311f89817afd821e69b924343efaa13e764cbce6527','{"transcript": "f583d4bca33ee371"}','done',NULL,'2026-11-29T12:59:04.447Z','[]',0,NULL,0,'[]','[]');
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
INSERT INTO "orders" VALUES(2,'question','b3bfd8134da3203474cdd311f89817afd821e69b924343efaa13e764cbce6527','{"page": 1, "question": "When may work start?", "follows": null}','Anna','2026-11-29T12:59:04.693Z','2026-11-29T12:59:05.957Z','{"answer": "the committee met on Tuesday and agreed that work may start on 4 May 2026.", "printed": "the committee met on Tuesday and agreed that work may start on 4 May 2026.", "box": [64.0, 79.2, 483.53, 91.2], "grounding": "exact", "confidence": null, "flags": ["nearest"], "engine": "embedded/10", "seconds": 0.2174}');
INSERT INTO "orders" VALUES(3,'question','b3bfd8134da3203474cdd311f89817afd821e69b924343efaa13e764cbce6527','{"page": 2, "question": "What is the letter about?", "follows": 2}','Ben','2026-11-29T12:59:06.388Z',NULL,NULL);
CREATE TABLE questions (
        template  TEXT PRIMARY KEY,
        question  TEXT NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE recipes (
        recipe    TEXT PRIMARY KEY,
        template  TEXT NOT NULL,
        engine    TEXT NOT NULL,
        versions  TEXT NOT NULL         -- JSON: library -> version
    ) WITHOUT ROWID;
INSERT INTO "recipes" VALUES('8e0d26bd3577186e','invoice','embedded/10','{"pipeline": "0.1.0", "python": "3.11.7", "pymupdf": "2.0", "pypdfium2": "5.15.2", "pillow": "13.0.0", "rapidocr": "3.10.0", "onnxruntime": "1.32.0"}');
INSERT INTO "recipes" VALUES('ddc89868d9b387d8','receipt','embedded/10','{"pipeline": "0.1.0", "python": "3.11.7", "pymupdf": "2.0", "pypdfium2": "5.15.2", "pillow": "13.0.0", "rapidocr": "3.10.0", "onnxruntime": "1.32.0"}');
INSERT INTO "recipes" VALUES('4cc15dea16cac279','caption','embedded/10','{"pipeline": "0.1.0", "python": "3.11.7", "pymupdf": "2.0", "pypdfium2": "5.15.2", "pillow": "13.0.0", "rapidocr": "3.10.0", "onnxruntime": "1.32.0"}');
INSERT INTO "recipes" VALUES('3b12aa87258dd8bf','chart','embedded/10','{"pipeline": "0.1.0", "python": "3.11.7", "pymupdf": "2.0", "pypdfium2": "5.15.2", "pillow": "13.0.0", "rapidocr": "3.10.0", "onnxruntime": "1.32.0"}');
INSERT INTO "recipes" VALUES('f583d4bca33ee371','transcript','embedded/10','{"pipeline": "0.1.0", "python": "3.11.7", "pymupdf": "2.0", "pypdfium2": "5.15.2", "pillow": "13.0.0", "rapidocr": "3.10.0", "onnxruntime": "1.32.0"}');
CREATE TABLE sheets (
        name     TEXT PRIMARY KEY,
        columns  TEXT NOT NULL,
        bytes    INTEGER NOT NULL,
        dirty    INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
INSERT INTO "sheets" VALUES('documents','["file", "status", "reason", "pages", "templates", "kind", "sha256"]',347,0);
INSERT INTO "sheets" VALUES('invoice','["file", "status", "pages", "vendor_name", "vendor_vat_id", "buyer_name", "invoice_number", "invoice_date", "due_date", "currency", "subtotal", "tax_total", "total", "amount_due", "prepaid", "flags", "review", "corrected"]',352,0);
INSERT INTO "sheets" VALUES('invoice.line_items','["file", "row", "description", "quantity", "unit_price", "amount"]',146,0);
INSERT INTO "sheets" VALUES('transcript','["file", "status", "pages", "text", "header", "footer", "flags", "review", "corrected"]',319,0);
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
        ended_at  TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 1, turned INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (sha256, template, recipe, page)
    );
INSERT INTO "units" VALUES('dc7b9aaa4776fe6fd484533604b9046b2cb1c3c53522909621eb72af31d0398a',1,'invoice','8e0d26bd3577186e','done',NULL,'','textlayer','{"vendor_name": {"value": "Harrow Lane Tools Ltd", "printed": "Harrow Lane Tools Ltd", "page": 1, "box": [56.0, 42.8, 296.92, 61.8], "grounding": "exact", "flags": [], "score": 0.999, "legible": 1.0, "confidence": null}, "vendor_vat_id": {"value": "GB736190278", "printed": "GB736190278", "page": 1, "box": [481.79, 51.6, 539.27, 59.6], "grounding": "exact", "flags": [], "score": 0.999, "legible": 1.0, "confidence": null}, "buyer_name": {"value": "Morgenrot & Partner", "printed": "Morgenrot & Partner", "page": 1, "box": [56.0, 191.8, 148.52, 200.8], "grounding": "exact", "flags": [], "score": 1.0, "legible": 1.0, "confidence": null}, "invoice_number": {"value": "EN-20417", "printed": "EN-20417", "page": 1, "box": [494.98, 178.8, 539.27, 187.8], "grounding": "exact", "flags": [], "score": 0.999, "legible": 1.0, "confidence": null}, "invoice_date": {"value": "2025-03-24", "printed": "24 March 2025", "page": 1, "box": [471.56, 194.8, 539.27, 203.8], "grounding": "value", "flags": [], "score": 0.999, "legible": 1.0, "confidence": null}, "due_date": {"value": "2025-04-23", "printed": "23 April 2025", "page": 1, "box": [478.63, 210.8, 539.27, 219.8], "grounding": "value", "flags": [], "score": 0.999, "legible": 1.0, "confidence": null}, "currency": {"value": "GBP", "printed": "£1,167.00", "page": 1, "box": [487.47, 344.8, 533.26, 353.8], "grounding": "value", "flags": [], "score": 0.8, "legible": 1.0, "confidence": null}, "subtotal": {"value": "1167.00", "printed": "£1,167.00", "page": 1, "box": [487.47, 344.8, 533.26, 353.8], "grounding": "value", "flags": [], "score": 0.9, "legible": 1.0, "confidence": null}, "tax_total": {"value": "233.40", "printed": "£233.40", "page": 1, "box": [496.06, 361.8, 533.26, 370.8], "grounding": "value", "flags": [], "score": 0.999, "legible": 1.0, "confidence": null}, "total": {"value": "1400.40", "printed": "£1,400.40", "page": 1, "box": [476.97, 378.0, 533.29, 388.0], "grounding": "value", "flags": [], "score": 1.0, "legible": 1.0, "confidence": null}, "amount_due": {"value": null, "printed": null, "page": null, "box": null, "grounding": "none", "flags": [], "score": 0.0, "legible": 1.0, "confidence": null}, "prepaid": {"value": null, "printed": null, "page": null, "box": null, "grounding": "none", "flags": [], "score": 0.0, "legible": 1.0, "confidence": null}, "line_items": {"value": [{"description": "Model K-12", "quantity": "12", "unit_price": "84.50", "amount": "1014.00"}, {"description": "Service pack", "quantity": "2.5", "unit_price": "61.20", "amount": "153.00"}], "printed": "12 84.50 1,014.00 Model K-12 2.5 61.20 153.00 Service pack", "page": 1, "box": [62.0, 301.8, 533.27, 329.8], "grounding": "value", "flags": [], "score": 0.9, "legible": 1.0, "confidence": null}}',0.0896,0,'2026-11-29T12:59:04.050Z',1,0);
INSERT INTO "units" VALUES('b3bfd8134da3203474cdd311f89817afd821e69b924343efaa13e764cbce6527',1,'transcript','f583d4bca33ee371','done',NULL,'','textlayer','{"text": {"value": "Dear Anna,\nthe committee met on Tuesday and agreed that work may start on 4 May 2026.\nThe members thank all who helped with the plans for the new library. The members thank all who he", "printed": "Dear Anna,\nthe committee met on Tuesday and agreed that work may start on 4 May 2026.\nThe members thank all who helped with the plans for the new library. The members thank all who he", "page": 1, "box": [64.0, 62.4, 596.88, 108.0], "grounding": "exact", "flags": [], "score": 1.0, "legible": 1.0, "confidence": null}, "header": {"value": null, "printed": null, "page": null, "box": null, "grounding": "none", "flags": [], "score": 0.0, "legible": 1.0, "confidence": null}, "footer": {"value": null, "printed": null, "page": null, "box": null, "grounding": "none", "flags": [], "score": 0.0, "legible": 1.0, "confidence": null}}',0.1444,0,'2026-11-29T12:59:04.223Z',1,0);
INSERT INTO "units" VALUES('b3bfd8134da3203474cdd311f89817afd821e69b924343efaa13e764cbce6527',2,'transcript','f583d4bca33ee371','done',NULL,'','textlayer','{"text": {"value": "Second page of the letter about the library.", "printed": "Second page of the letter about the library.", "page": 2, "box": [64.0, 62.4, 290.8, 74.4], "grounding": "exact", "flags": [], "score": 1.0, "legible": 1.0, "confidence": null}, "header": {"value": null, "printed": null, "page": null, "box": null, "grounding": "none", "flags": [], "score": 0.0, "legible": 1.0, "confidence": null}, "footer": {"value": null, "printed": null, "page": null, "box": null, "grounding": "none", "flags": [], "score": 0.0, "legible": 1.0, "confidence": null}}',0.0218,0,'2026-11-29T12:59:04.223Z',1,0);
CREATE INDEX files_by_document ON files (sha256);
CREATE VIEW known AS
        SELECT files.*, documents.chosen, documents.reason IS NOT NULL AS unreadable
        FROM files LEFT JOIN documents USING (sha256);
CREATE INDEX units_by_end ON units (ended_at);
CREATE INDEX open_orders ON orders (id) WHERE ended_at IS NULL;
CREATE INDEX orders_by_document ON orders (sha256, kind);
COMMIT;
