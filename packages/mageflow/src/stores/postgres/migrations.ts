/**
 * The schema, one constant a version, never changed once released: a change is one more constant at the end.
 *
 * Indexes are partial, so that a signature is in those only that its status calls for. Their conditions are written as they stand in
 * the queries, which is how PostgreSQL knows that an index serves. What is compared or put in order is so bytewise (`COLLATE "C"`).
 */
const FIRST = `
  -- One row a signature; the columns are the fields of SignatureRecord. A change of status makes a new version of the row, for which
  -- room is left on its page.
  CREATE TABLE signatures (
    id text COLLATE "C" PRIMARY KEY,
    root_id text COLLATE "C" NOT NULL,
    parent_id text COLLATE "C",
    role text COLLATE "C" NOT NULL,
    slot int NOT NULL,
    key text COLLATE "C",
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    spec text COLLATE "C" NOT NULL,
    priority int NOT NULL,
    bound text,
    created_at bigint NOT NULL,
    status text COLLATE "C" NOT NULL DEFAULT 'PENDING',
    prior text COLLATE "C",
    held_by text COLLATE "C",
    generation int NOT NULL DEFAULT 1,
    origin int NOT NULL DEFAULT 1,
    attempt int NOT NULL DEFAULT 0,
    epoch int NOT NULL DEFAULT 0,
    recoveries int NOT NULL DEFAULT 0,
    ready_at bigint,
    due_at bigint,
    deadline_at bigint,
    worker_id text COLLATE "C",
    message text,
    result text,
    error text,
    family text,
    sweep text COLLATE "C",
    stop text,
    deletion text,
    lock text,
    milestone smallint NOT NULL DEFAULT 0,
    credited smallint NOT NULL DEFAULT 0,
    tags text,
    started_at bigint,
    finished_at bigint,
    -- What the conditions below look at inside of stop and deletion.
    stop_verb text COLLATE "C",
    stop_by text COLLATE "C",
    stop_done boolean,
    stop_resumes boolean,
    stop_until bigint,
    purge_at bigint
  ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

  -- Every step or item is in one of these three.
  CREATE INDEX startable ON signatures (parent_id, priority DESC, slot)
    WHERE status = 'PENDING' AND held_by IS NULL AND (role = 'step' OR role = 'item');
  CREATE INDEX children ON signatures (parent_id, status, slot)
    WHERE (status <> 'PENDING' OR held_by IS NOT NULL) AND (status <> 'RUNNING' OR worker_id IS NULL)
      AND (role = 'step' OR role = 'item');
  -- What runs under a worker, by columns that do not change: of a million that have run one after the other, the entries would stand in
  -- front of those that run now until the next vacuum. Here the server drops them when they fill a page.
  CREATE INDEX running ON signatures (parent_id) WHERE status = 'RUNNING' AND worker_id IS NOT NULL;
  CREATE INDEX callbacks ON signatures (parent_id, id)
    WHERE parent_id IS NOT NULL AND role <> 'step' AND role <> 'item';
  -- Tasks in the order of their turn.
  CREATE INDEX ready ON signatures (name, priority DESC, ready_at, slot, id) WHERE status = 'READY';
  CREATE INDEX due ON signatures (due_at) WHERE status = 'WAITING' AND due_at IS NOT NULL;
  CREATE INDEX deadlines ON signatures (deadline_at)
    WHERE deadline_at IS NOT NULL AND (status = 'READY' OR status = 'WAITING') AND kind = 'task';
  CREATE INDEX stops ON signatures (stop_until) WHERE stop_until IS NOT NULL;
  CREATE INDEX purges ON signatures (purge_at) WHERE purge_at IS NOT NULL;
  CREATE INDEX held ON signatures (held_by, id) WHERE held_by IS NOT NULL;
  CREATE INDEX sweeping ON signatures (id) WHERE sweep IS NOT NULL;
  -- What waits for something inside it.
  CREATE INDEX unsettled ON signatures (id)
    WHERE (kind <> 'task' AND status = 'RUNNING') OR milestone = 1 OR milestone = 2;
  -- What has ended and waits for its callbacks, by its place.
  CREATE INDEX unsettled_children ON signatures (parent_id, slot)
    WHERE (milestone = 1 OR milestone = 2) AND stop IS NULL AND (role = 'step' OR role = 'item');
  -- What waits for nothing: empty, as long as nothing goes wrong.
  CREATE INDEX stalled ON signatures (id)
    WHERE (status = 'WAITING' AND due_at IS NULL) OR (status = 'RUNNING' AND kind = 'task' AND worker_id IS NULL)
      OR (status = 'PENDING' AND ready_at IS NOT NULL AND held_by IS NULL AND deletion IS NULL);
  -- What was interrupted and has not stopped with all that it holds.
  CREATE INDEX stopping ON signatures (id) WHERE status = 'INTERRUPTED' AND NOT stop_done;
  CREATE INDEX owing ON signatures (parent_id, id) WHERE credited < milestone;
  -- What must be unique besides ids.
  CREATE UNIQUE INDEX root_keys ON signatures (key) WHERE parent_id IS NULL AND key IS NOT NULL;
  CREATE UNIQUE INDEX item_keys ON signatures (parent_id, key) WHERE parent_id IS NOT NULL AND key IS NOT NULL;
  -- Lists, newest first.
  CREATE INDEX newest ON signatures (created_at, id);
  CREATE INDEX newest_notable ON signatures (status, created_at, id)
    WHERE status = 'WAITING' OR status = 'SUSPENDED' OR status = 'INTERRUPTED' OR status = 'FAILED' OR status = 'SKIPPED'
      OR status = 'CANCELLED';
  CREATE INDEX newest_roots ON signatures (status, created_at, id) WHERE role = 'root';
  CREATE INDEX newest_marked ON signatures (created_at, id) WHERE purge_at IS NOT NULL;

  -- The instants at which something inside a workflow was stored: what finds it in the index newest.
  CREATE TABLE births (
    root_id text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (root_id, created_at)
  );

  -- Roots by tag, to be listed in the order of their creation.
  CREATE TABLE root_tags (
    tag text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (tag, created_at, root_id)
  );

  -- Trees that are still being stored, or removed: those have begun before all time. What is under one of these roots is not shown.
  CREATE TABLE drafts (root_id text COLLATE "C" PRIMARY KEY, begun_at bigint NOT NULL);
  CREATE INDEX drafts_by_age ON drafts (begun_at);

  CREATE TABLE specs (
    root_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (root_id, id)
  );

  -- One row holds the entries that one commit adds to one workflow, numbered from seq on.
  CREATE TABLE journal (
    root_id text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    count int NOT NULL,
    at bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (root_id, seq)
  );

  -- The last number of each journal. Who writes to a journal, or log lines of its workflow, has its row locked until the commit.
  CREATE TABLE journal_heads (root_id text COLLATE "C" PRIMARY KEY, last bigint NOT NULL) WITH (fillfactor = 50);

  CREATE TABLE logs (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    generation int NOT NULL,
    attempt int NOT NULL,
    at bigint NOT NULL,
    level text COLLATE "C" NOT NULL,
    message text NOT NULL,
    fields text
  );
  CREATE INDEX logs_of_signature ON logs (id, seq);
  CREATE INDEX logs_of_root ON logs (root_id, seq);

  CREATE TABLE steps (
    id text COLLATE "C" NOT NULL,
    generation int NOT NULL,
    name text COLLATE "C" NOT NULL,
    result text NOT NULL,
    PRIMARY KEY (id, generation, name)
  );
  CREATE TABLE checkpoints (
    id text COLLATE "C" NOT NULL,
    generation int NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (id, generation)
  );
  CREATE TABLE progress (
    id text COLLATE "C" NOT NULL,
    generation int NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (id, generation)
  );

  -- What is left of workflows that were removed; the stub is JSON.
  CREATE TABLE tombstones (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    at bigint NOT NULL,
    action text NOT NULL,
    by text NOT NULL,
    reason text,
    stub text
  );

  CREATE TABLE audit (
    seq bigint PRIMARY KEY,
    at bigint NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    reason text,
    details text NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL
  );

  CREATE TABLE tickets (token text COLLATE "C" PRIMARY KEY, body text NOT NULL, expires_at bigint NOT NULL);
  CREATE INDEX tickets_by_expiry ON tickets (expires_at);

  -- What processes did about unfinished work; the entries are JSON. Only the newest are kept.
  CREATE TABLE reports (
    id text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL,
    by text NOT NULL,
    reason text COLLATE "C" NOT NULL,
    seen int NOT NULL,
    resumed int NOT NULL,
    started int NOT NULL,
    kept int NOT NULL,
    skipped int NOT NULL,
    parked int NOT NULL,
    failed int NOT NULL,
    more boolean NOT NULL,
    entries text NOT NULL
  );
  CREATE INDEX starts ON reports (at, id) WHERE reason = 'start';

  -- Counts what was about to be committed, so that others notice it.
  CREATE SEQUENCE commits;

  CREATE TABLE workers (
    id text COLLATE "C" PRIMARY KEY,
    host text NOT NULL,
    pid int NOT NULL,
    tasks text NOT NULL,
    concurrency int NOT NULL,
    auto_resume text NOT NULL,
    started_at bigint NOT NULL,
    lease_until bigint NOT NULL,
    ended_at bigint
  ) WITH (fillfactor = 50);
  CREATE INDEX workers_by_age ON workers (started_at, id);
  CREATE INDEX leases ON workers (lease_until, id) WHERE ended_at IS NULL;
`;

const NOTABLE_INSIDE = `
  -- Lists of what is in a workflow and has a status to look into.
  CREATE INDEX newest_notable_inside ON signatures (root_id, status, created_at, id)
    WHERE status = 'WAITING' OR status = 'SUSPENDED' OR status = 'INTERRUPTED' OR status = 'FAILED' OR status = 'SKIPPED'
      OR status = 'CANCELLED';
`;

const STAMPS = `
  -- The last commit of each process.
  CREATE TABLE stamps (by text COLLATE "C" PRIMARY KEY, n bigint NOT NULL, at bigint NOT NULL) WITH (fillfactor = 50);
`;

export const MIGRATIONS: readonly string[] = [FIRST, NOTABLE_INSIDE, STAMPS];
