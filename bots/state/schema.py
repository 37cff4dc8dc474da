"""The bot's database: what it remembers over restarts. Times are Unix seconds."""

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE officers (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL COLLATE NOCASE UNIQUE,
        role TEXT NOT NULL CHECK (role IN ('officer', 'administrator')),
        language TEXT NOT NULL,
        zone TEXT NOT NULL DEFAULT 'UTC',
        quiet_start INTEGER,
        quiet_end INTEGER,
        chat INTEGER UNIQUE,
        person INTEGER UNIQUE,
        reachable INTEGER NOT NULL DEFAULT 1,
        created REAL NOT NULL
    ) STRICT;
    CREATE TABLE invitations (
        digest BLOB PRIMARY KEY,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        expires REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE subscriptions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        filters TEXT NOT NULL,
        paused INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX subscriptions_of ON subscriptions (officer);
    CREATE TABLE digests (
        officer INTEGER PRIMARY KEY REFERENCES officers ON DELETE CASCADE,
        cadence TEXT NOT NULL CHECK (cadence IN ('daily', 'weekly')),
        minute INTEGER NOT NULL,
        weekday INTEGER NOT NULL,
        covered REAL NOT NULL
    ) STRICT;
    CREATE TABLE records (
        id TEXT PRIMARY KEY,
        record TEXT NOT NULL,
        seen REAL NOT NULL
    ) STRICT;
    CREATE INDEX records_by_time ON records (seen);
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        priority INTEGER NOT NULL,
        verb TEXT NOT NULL CHECK (verb IN ('alert', 'digest', 'edit', 'delete')),
        record TEXT,
        target INTEGER,
        body TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'in_flight', 'done', 'failed')),
        not_before REAL NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        repeated INTEGER NOT NULL DEFAULT 0,
        sent_parts INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL
    ) STRICT;
    CREATE INDEX jobs_open ON jobs (officer, priority, id) WHERE state IN ('queued', 'in_flight');
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        chat INTEGER NOT NULL,
        message INTEGER NOT NULL,
        record TEXT,
        language TEXT,
        part INTEGER NOT NULL DEFAULT 0,
        sent REAL NOT NULL,
        ends REAL,
        UNIQUE (chat, message)
    ) STRICT;
    CREATE INDEX messages_of ON messages (record);
    CREATE INDEX messages_ending ON messages (ends) WHERE ends IS NOT NULL;
    CREATE TABLE acknowledged (
        record TEXT NOT NULL,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        at REAL NOT NULL,
        PRIMARY KEY (record, officer)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE memory (
        key TEXT PRIMARY KEY,
        state TEXT,
        data TEXT NOT NULL DEFAULT '{}'
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE jobs_new (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        priority INTEGER NOT NULL,
        verb TEXT NOT NULL CHECK (verb IN ('alert', 'digest', 'edit', 'delete', 'alarm')),
        record TEXT,
        target INTEGER,
        body TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'in_flight', 'done', 'failed')),
        not_before REAL NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        repeated INTEGER NOT NULL DEFAULT 0,
        sent_parts INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL
    ) STRICT;
    INSERT INTO jobs_new SELECT * FROM jobs;
    DROP TABLE jobs;
    ALTER TABLE jobs_new RENAME TO jobs;
    CREATE INDEX jobs_open ON jobs (officer, priority, id) WHERE state IN ('queued', 'in_flight');
    """,
    # Which verbs there are is for `bots.state.jobs` to say: the table does not list them any more.
    """
    CREATE TABLE jobs_anew (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL UNIQUE,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        priority INTEGER NOT NULL,
        verb TEXT NOT NULL,
        record TEXT,
        target INTEGER,
        body TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'in_flight', 'done', 'failed')),
        not_before REAL NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        repeated INTEGER NOT NULL DEFAULT 0,
        sent_parts INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL
    ) STRICT;
    INSERT INTO jobs_anew SELECT * FROM jobs;
    DROP TABLE jobs;
    ALTER TABLE jobs_anew RENAME TO jobs;
    CREATE INDEX jobs_open ON jobs (officer, priority, id) WHERE state IN ('queued', 'in_flight');
    """,
    # Lists in chats are made again when something in them was amended or retracted.
    """
    CREATE TABLE lists (
        message INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
        body TEXT NOT NULL
    ) STRICT;
    CREATE TABLE listed (
        record TEXT NOT NULL,
        message INTEGER NOT NULL REFERENCES messages ON DELETE CASCADE,
        PRIMARY KEY (record, message)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX listed_in ON listed (message);
    """,
    # Conversations are an officer's, by whichever front door: half-made menus get their new keys and names.
    """
    INSERT INTO memory (key, state, data)
        SELECT 'steps:' || o.id,
            CASE m.state WHEN 'Steps:choosing' THEN 'subscribing'
                WHEN 'Steps:regions' THEN 'subscribing.regions' END,
            m.data
        FROM memory m JOIN officers o ON m.key LIKE 'fsm:%:' || o.chat || ':' || o.person || ':default'
        WHERE true ON CONFLICT (key) DO NOTHING;
    DELETE FROM memory WHERE key LIKE 'fsm:%';
    """,
    # Subscriptions are saved searches: what there was before alerts, and has no name.
    """
    ALTER TABLE subscriptions ADD COLUMN name TEXT NOT NULL DEFAULT '';
    ALTER TABLE subscriptions ADD COLUMN words TEXT NOT NULL DEFAULT '';
    ALTER TABLE subscriptions ADD COLUMN mode TEXT NOT NULL DEFAULT 'alert';
    ALTER TABLE subscriptions ADD COLUMN snoozed REAL NOT NULL DEFAULT 0;
    ALTER TABLE subscriptions ADD COLUMN quiet_start INTEGER;
    ALTER TABLE subscriptions ADD COLUMN quiet_end INTEGER;
    """,
    # The reading room: one-time ways in, what was used up, passkeys; `vouched`: who says who the officer is.
    """
    CREATE TABLE room_codes (
        digest BLOB PRIMARY KEY,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        vouched TEXT NOT NULL CHECK (vouched IN ('chat', 'agency')),
        target TEXT NOT NULL DEFAULT '',
        expires REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE room_used (
        digest BLOB PRIMARY KEY,
        until REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE room_passkeys (
        id BLOB PRIMARY KEY,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        vouched TEXT NOT NULL CHECK (vouched IN ('chat', 'agency')),
        handle BLOB NOT NULL,
        public BLOB NOT NULL,
        counter INTEGER NOT NULL,
        created REAL NOT NULL,
        used REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    # What officers write, and what they can undo. Text is here while a draft is open, waiting or releasing.
    """
    CREATE TABLE drafts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        editor INTEGER NOT NULL,
        body TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'open',
        revision INTEGER NOT NULL DEFAULT 1,
        once TEXT NOT NULL,
        releaser INTEGER,
        official INTEGER NOT NULL DEFAULT 0,
        ref TEXT NOT NULL DEFAULT '',
        note TEXT NOT NULL DEFAULT '',
        changed REAL NOT NULL
    ) STRICT;
    CREATE INDEX drafts_of ON drafts (owner, state);
    CREATE TABLE draft_revisions (
        draft INTEGER NOT NULL REFERENCES drafts ON DELETE CASCADE,
        revision INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (draft, revision)
    ) STRICT, WITHOUT ROWID;
    """,
    # Duty rosters (0 is the agency's own), and bulletins that ring until somebody on one acknowledges.
    """
    CREATE TABLE shifts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        roster INTEGER NOT NULL,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        days TEXT NOT NULL,
        day TEXT,
        start INTEGER NOT NULL,
        ends INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE takeovers (
        roster INTEGER PRIMARY KEY,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        until REAL NOT NULL
    ) STRICT;
    CREATE TABLE bells (
        record TEXT PRIMARY KEY,
        began REAL NOT NULL,
        told INTEGER NOT NULL DEFAULT 0,
        ended REAL,
        answered REAL,
        answerer INTEGER REFERENCES officers ON DELETE SET NULL,
        elsewhere REAL
    ) STRICT;
    CREATE INDEX bells_open ON bells (began) WHERE ended IS NULL;
    CREATE TABLE called (
        record TEXT NOT NULL REFERENCES bells ON DELETE CASCADE,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        calls INTEGER NOT NULL,
        last REAL NOT NULL,
        PRIMARY KEY (record, officer)
    ) STRICT;
    CREATE TABLE calls (
        message INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
        record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX calls_for ON calls (record);
    """,
    # Officers are readers, drafters, releasers or administrators. Their numbers are never given twice: the
    # audit has them. Messages of who was shut out are taken back; the audit is only added to.
    """
    ALTER TABLE officers ADD COLUMN rank TEXT NOT NULL DEFAULT 'reader'
        CHECK (rank IN ('reader', 'drafter', 'releaser', 'administrator'));
    UPDATE officers SET rank = 'administrator' WHERE role = 'administrator';
    ALTER TABLE officers DROP COLUMN role;
    ALTER TABLE officers RENAME COLUMN rank TO role;
    CREATE TABLE officer_numbers (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
    INSERT INTO officer_numbers SELECT id FROM officers;
    CREATE TABLE farewells (
        chat INTEGER NOT NULL,
        message INTEGER NOT NULL,
        language TEXT NOT NULL,
        sent REAL NOT NULL,
        PRIMARY KEY (chat, message)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        officer INTEGER,
        name TEXT NOT NULL,
        door TEXT NOT NULL,
        verb TEXT NOT NULL,
        object TEXT NOT NULL,
        outcome TEXT NOT NULL,
        digest BLOB NOT NULL
    ) STRICT;
    CREATE INDEX audit_of ON audit (officer, number);
    CREATE INDEX audit_about ON audit (object, number) WHERE object != '';
    CREATE TABLE audit_base (number INTEGER NOT NULL, digest BLOB NOT NULL) STRICT;
    INSERT INTO audit_base VALUES (0, zeroblob(32));
    CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN
        SELECT RAISE(ABORT, 'the audit is only added to');
    END;
    CREATE TRIGGER audit_undropped BEFORE DELETE ON audit
        WHEN old.number > (SELECT number FROM audit_base) BEGIN
        SELECT RAISE(ABORT, 'the audit is only added to');
    END;
    """,
    # How often an officer's sessions in the reading room were ended all at once.
    """
    CREATE TABLE room_ends (
        officer INTEGER PRIMARY KEY REFERENCES officers ON DELETE CASCADE,
        times INTEGER NOT NULL
    ) STRICT;
    """,
    # A release that the node has not answered is asked for again by the same client of it.
    """
    ALTER TABLE drafts ADD COLUMN via TEXT NOT NULL DEFAULT '';
    """,
    # Digests that say nothing are sent unless the officer wants none.
    """
    ALTER TABLE digests ADD COLUMN skip_empty INTEGER NOT NULL DEFAULT 0;
    """,
    # Events: what this agency knows of them beside their bulletins. A cell's number is its roster's.
    """
    CREATE TABLE cells (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        slug TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        venues TEXT NOT NULL DEFAULT '[]',
        first TEXT,
        last TEXT,
        community TEXT NOT NULL DEFAULT '',
        least TEXT NOT NULL DEFAULT 'flash',
        report INTEGER,
        covered REAL NOT NULL,
        closed REAL,
        bundle TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE TABLE followers (
        cell INTEGER NOT NULL REFERENCES cells ON DELETE CASCADE,
        officer INTEGER NOT NULL REFERENCES officers ON DELETE CASCADE,
        PRIMARY KEY (cell, officer)
    ) STRICT, WITHOUT ROWID;
    """,
    # Digests come with a chart unless the officer wants none.
    """
    CREATE TABLE charts_off (officer INTEGER PRIMARY KEY REFERENCES officers ON DELETE CASCADE) STRICT;
    """,
    # Requests with a deadline: whose they are, and whether this agency has answered them.
    """
    CREATE TABLE questions (
        record TEXT PRIMARY KEY,
        since REAL NOT NULL,
        until REAL NOT NULL,
        own INTEGER NOT NULL,
        asker INTEGER,
        answered INTEGER NOT NULL DEFAULT 0,
        told TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX questions_due ON questions (until);
    INSERT INTO questions (record, since, until, own, asker, answered)
        SELECT r.id, r.seen, unixepoch(r.record ->> '$.bulletin.valid_until'), r.record ->> '$.own',
            CASE WHEN r.record ->> '$.own' AND r.record ->> '$.bulletin.drafter' GLOB 'officer-[0-9]*'
                THEN CAST(substr(r.record ->> '$.bulletin.drafter', 9) AS INTEGER) END,
            EXISTS (
                SELECT 1 FROM records a, json_each(a.record, '$.bulletin.links') l
                WHERE a.record ->> '$.own' AND a.record ->> '$.bulletin.kind' = 'response'
                    AND l.value ->> '$.id' = r.id
            )
        FROM records r
        WHERE r.record ->> '$.bulletin.kind' = 'request' AND r.record ->> '$.state' != 'retracted'
            AND unixepoch(r.record ->> '$.bulletin.valid_until') IS NOT NULL;
    """,
    # All that is in a chat is remembered, also what its officer wrote (`theirs`), to be taken back with a
    # lost phone; of what can only be rewritten, that which `shows` bulletins goes first.
    """
    ALTER TABLE messages ADD COLUMN theirs INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX messages_with ON messages (officer);
    ALTER TABLE farewells ADD COLUMN theirs INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE farewells ADD COLUMN shows INTEGER NOT NULL DEFAULT 1;
    """,
)
