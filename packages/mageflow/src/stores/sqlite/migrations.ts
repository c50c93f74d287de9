/**
 * The schema, one constant a version, never changed once released: a change is one more constant at the end.
 *
 * Indexes are partial, so that a signature is in those only that its status calls for. Their conditions are written as
 * they stand in the queries, which is how SQLite knows that an index serves; an `IN` of more than two would be built
 * anew for every row that is written.
 */
const FIRST = `
  -- One row a signature; the columns are the fields of SignatureRecord.
  CREATE TABLE signatures (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    root_id TEXT NOT NULL,
    parent_id TEXT,
    role TEXT NOT NULL,
    slot INTEGER NOT NULL,
    key TEXT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'PENDING',
    prior TEXT,
    held_by TEXT,
    generation INTEGER NOT NULL DEFAULT 1,
    origin INTEGER NOT NULL DEFAULT 1,
    attempt INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    recoveries INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL,
    ready_at INTEGER,
    due_at INTEGER,
    deadline_at INTEGER,
    worker_id TEXT,
    bound TEXT,
    message TEXT,
    result TEXT,
    error TEXT,
    family TEXT,
    sweep TEXT,
    stop TEXT,
    deletion TEXT,
    lock TEXT,
    milestone INTEGER NOT NULL DEFAULT 0,
    credited INTEGER NOT NULL DEFAULT 0,
    tags TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    -- Of a step or item that no worker holds: STARTABLE, or else its status. The startable ones stand by priority, suspended
    -- ones behind the others when they were not told to start.
    child_status TEXT GENERATED ALWAYS AS
      (CASE WHEN worker_id IS NULL AND role IN ('step', 'item')
        THEN CASE WHEN status = 'PENDING' AND held_by IS NULL THEN 'STARTABLE' ELSE status END END),
    child_turn INTEGER GENERATED ALWAYS AS
      (CASE WHEN status = 'PENDING' AND held_by IS NULL THEN -priority
        WHEN status = 'SUSPENDED' AND ready_at IS NULL THEN 1 ELSE 0 END),
    stop_until INTEGER GENERATED ALWAYS AS (CASE WHEN status = 'RUNNING' THEN stop ->> '$.until' END),
    purge_at INTEGER GENERATED ALWAYS AS (deletion ->> '$.purgeAt'),
    -- A status to look into.
    notable_status TEXT GENERATED ALWAYS AS (CASE status WHEN 'SUCCEEDED' THEN NULL WHEN 'RUNNING' THEN NULL
      WHEN 'PENDING' THEN NULL WHEN 'READY' THEN NULL ELSE status END)
  );

  -- Every step or item is in one of these two, so that it costs as few pages as can be.
  CREATE INDEX children ON signatures (parent_id, child_status, child_turn, slot) WHERE child_status IS NOT NULL;
  CREATE INDEX running ON signatures (parent_id, slot, worker_id) WHERE worker_id IS NOT NULL;
  CREATE INDEX callbacks ON signatures (parent_id, id)
    WHERE parent_id IS NOT NULL AND role <> 'step' AND role <> 'item';
  -- Tasks in the order of their turn.
  CREATE INDEX ready ON signatures (name, priority DESC, ready_at, slot, id) WHERE status = 'READY';
  CREATE INDEX due ON signatures (due_at) WHERE status = 'WAITING' AND due_at IS NOT NULL;
  CREATE INDEX deadlines ON signatures (deadline_at)
    WHERE deadline_at IS NOT NULL AND (status = 'READY' OR status = 'WAITING');
  CREATE INDEX stops ON signatures (stop_until) WHERE stop_until IS NOT NULL;
  CREATE INDEX purges ON signatures (purge_at) WHERE purge_at IS NOT NULL;
  CREATE INDEX held ON signatures (held_by, id) WHERE held_by IS NOT NULL;
  CREATE INDEX sweeping ON signatures (id) WHERE sweep IS NOT NULL;
  -- What waits for something inside it; family changes with every credit, so that no condition looks at it.
  CREATE INDEX unsettled ON signatures (id)
    WHERE (kind <> 'task' AND status = 'RUNNING') OR milestone = 1 OR milestone = 2;
  -- What has ended and waits for its callbacks, by its place.
  CREATE INDEX unsettled_children ON signatures (parent_id, slot)
    WHERE (milestone = 1 OR milestone = 2) AND stop IS NULL AND (role = 'step' OR role = 'item');
  -- What waits for nothing: empty, as long as nothing goes wrong.
  CREATE INDEX stalled ON signatures (id)
    WHERE (status = 'WAITING' AND due_at IS NULL) OR (status = 'RUNNING' AND kind = 'task' AND worker_id IS NULL)
      OR (status = 'PENDING' AND ready_at IS NOT NULL AND held_by IS NULL AND deletion IS NULL);
  CREATE INDEX owing ON signatures (parent_id, id) WHERE credited < milestone;
  -- What must be unique besides ids.
  CREATE UNIQUE INDEX root_keys ON signatures (key) WHERE parent_id IS NULL AND key IS NOT NULL;
  CREATE UNIQUE INDEX item_keys ON signatures (parent_id, key) WHERE parent_id IS NOT NULL AND key IS NOT NULL;
  -- Lists, newest first.
  CREATE INDEX newest ON signatures (created_at, id);
  CREATE INDEX newest_notable ON signatures (notable_status, created_at, id) WHERE notable_status IS NOT NULL;
  CREATE INDEX newest_roots_by_status ON signatures (status, created_at, id) WHERE role = 'root';
  CREATE INDEX newest_marked ON signatures (created_at, id) WHERE purge_at IS NOT NULL;

  -- The instants at which something inside a workflow was stored: what finds it in the index newest.
  CREATE TABLE births (
    root_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (root_id, created_at)
  ) WITHOUT ROWID;

  -- Roots by tag, to be listed in the order of their creation.
  CREATE TABLE root_tags (
    tag TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    root_id TEXT NOT NULL,
    PRIMARY KEY (tag, created_at, root_id)
  ) WITHOUT ROWID;

  -- Trees that are still being stored. What is under one of these roots is not shown.
  CREATE TABLE drafts (root_id TEXT NOT NULL PRIMARY KEY, begun_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE VIEW shown AS SELECT * FROM signatures
    WHERE NOT EXISTS (SELECT 1 FROM drafts WHERE drafts.root_id = signatures.root_id);

  CREATE TABLE specs (root_id TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (root_id, id))
    WITHOUT ROWID;

  -- One row holds the entries that one commit adds to one workflow, numbered from seq on.
  CREATE TABLE journal (
    root_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    count INTEGER NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (root_id, seq)
  ) WITHOUT ROWID;

  CREATE TABLE logs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    root_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    fields TEXT
  );
  CREATE INDEX logs_of_signature ON logs (id);
  CREATE INDEX logs_of_root ON logs (root_id);

  CREATE TABLE steps (
    id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    name TEXT NOT NULL,
    result TEXT NOT NULL,
    UNIQUE (id, generation, name)
  );
  CREATE TABLE checkpoints (
    id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (id, generation)
  );
  CREATE TABLE progress (
    id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (id, generation)
  );

  -- What is left of workflows that were removed; the stub is JSON.
  CREATE TABLE tombstones (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    by TEXT NOT NULL,
    reason TEXT,
    stub TEXT
  ) WITHOUT ROWID;

  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT,
    details TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
  );

  CREATE TABLE tickets (token TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX tickets_by_expiry ON tickets (expires_at);

  -- What processes did about unfinished work; the entries are JSON. Only the newest are kept.
  CREATE TABLE reports (
    id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    reason TEXT NOT NULL,
    seen INTEGER NOT NULL,
    resumed INTEGER NOT NULL,
    started INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    parked INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    more INTEGER NOT NULL,
    entries TEXT NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE workers (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    tasks TEXT NOT NULL,
    concurrency INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    ended_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX workers_by_age ON workers (started_at, id);
  CREATE INDEX leases ON workers (lease_until, id) WHERE ended_at IS NULL;
`;

const RULES_OF_WORKERS = `
  -- The rules that a worker leaves for its tasks; those of before have left none, so that all go on.
  ALTER TABLE workers ADD COLUMN auto_resume TEXT NOT NULL
    DEFAULT '{"enabled":true,"only":null,"except":[],"stagger":null}';
  -- What the last start has told of.
  CREATE INDEX starts ON reports (at, id) WHERE reason = 'start';
`;

const WHAT_IS_STOPPING = `
  -- What was interrupted and has not stopped with all that it holds.
  CREATE INDEX stopping ON signatures (id) WHERE status = 'INTERRUPTED' AND stop ->> '$.done' = 0;
`;

const WHAT_IS_KNOWN = `
  -- What is stored or being stored, without trees that are being discarded: those are in no read.
  CREATE VIEW known AS SELECT * FROM signatures
    WHERE NOT EXISTS (SELECT 1 FROM drafts WHERE drafts.root_id = signatures.root_id AND drafts.begun_at < 0);
`;

const NOTABLE_INSIDE = `
  -- Lists of what is in a workflow and has a status to look into.
  CREATE INDEX newest_notable_inside ON signatures (root_id, notable_status, created_at, id) WHERE notable_status IS NOT NULL;
`;

export const MIGRATIONS: readonly string[] = [
  FIRST,
  RULES_OF_WORKERS,
  WHAT_IS_STOPPING,
  WHAT_IS_KNOWN,
  NOTABLE_INSIDE,
];
