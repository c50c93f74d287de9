/**
 * The schema, one list of statements a version, never changed once released: a change is one more list at the end.
 *
 * Every statement is a commit of its own, so each can be made again: a process that was killed in the middle is followed by one that
 * begins at the first. The tables have names of their own, so that they may stand beside those of others.
 *
 * Ids, names and whatever is compared or put in order are kept as bytes (`VARBINARY`); other texts are utf8mb4. There are no partial
 * indexes here: what a query looks for stands in a generated column, which has no value where there is nothing to find.
 */
const FIRST: readonly string[] = [
  `-- One row a signature; the columns up to finished_at are the fields of SignatureRecord. All have defaults, for a change is written as if
  -- the row were new, with what changes alone.
  CREATE TABLE IF NOT EXISTS mageflow_signatures (
    id VARBINARY(1500) NOT NULL PRIMARY KEY,
    root_id VARBINARY(1500) NOT NULL DEFAULT '',
    parent_id VARBINARY(1500),
    role VARBINARY(16) NOT NULL DEFAULT '',
    slot INT NOT NULL DEFAULT 0,
    \`key\` VARBINARY(1024),
    kind VARBINARY(8) NOT NULL DEFAULT '',
    name VARBINARY(1024) NOT NULL DEFAULT '',
    spec VARBINARY(1500) NOT NULL DEFAULT '',
    priority INT NOT NULL DEFAULT 0,
    bound LONGTEXT,
    created_at BIGINT NOT NULL DEFAULT 0,
    status VARBINARY(16) NOT NULL DEFAULT 'PENDING',
    prior VARBINARY(16),
    held_by VARBINARY(1500),
    generation INT NOT NULL DEFAULT 1,
    origin INT NOT NULL DEFAULT 1,
    attempt INT NOT NULL DEFAULT 0,
    epoch INT NOT NULL DEFAULT 0,
    recoveries INT NOT NULL DEFAULT 0,
    ready_at BIGINT,
    due_at BIGINT,
    deadline_at BIGINT,
    worker_id VARBINARY(1000),
    message LONGTEXT,
    result LONGTEXT,
    error LONGTEXT,
    family LONGTEXT,
    sweep VARBINARY(16),
    stop LONGTEXT,
    deletion LONGTEXT,
    \`lock\` LONGTEXT,
    milestone TINYINT NOT NULL DEFAULT 0,
    credited TINYINT NOT NULL DEFAULT 0,
    tags LONGTEXT,
    started_at BIGINT,
    finished_at BIGINT,
    -- What the conditions below look at inside of stop and deletion.
    stop_verb VARBINARY(16),
    stop_by VARBINARY(1500),
    stop_done TINYINT,
    stop_resumes TINYINT,
    stop_until BIGINT,
    purge_at BIGINT,
    -- Of a step or item STARTABLE, which it is while nothing holds it, or else its status; callbacks stand by their ids. The startable ones
    -- stand by priority, suspended ones behind the others when they were not told to start.
    child_status VARBINARY(16) GENERATED ALWAYS AS (CASE
      WHEN role = 'step' OR role = 'item'
        THEN CASE WHEN status = 'PENDING' AND held_by IS NULL THEN 'STARTABLE' ELSE status END
      WHEN parent_id IS NOT NULL THEN 'CALLBACK' END) STORED,
    child_turn BIGINT GENERATED ALWAYS AS (CASE
      WHEN role <> 'step' AND role <> 'item' THEN 0
      WHEN status = 'PENDING' AND held_by IS NULL THEN -CAST(priority AS SIGNED)
      WHEN status = 'SUSPENDED' AND ready_at IS NULL THEN 1 ELSE 0 END) STORED,
    child_slot INT GENERATED ALWAYS AS (CASE WHEN role = 'step' OR role = 'item' THEN slot ELSE 0 END) STORED,
    -- Where it stands in line: ready tasks by name in the order of their turn, tasks under a worker, what waits for its time, and what
    -- waits for nothing, of which there is none as long as nothing goes wrong.
    line VARBINARY(1100) GENERATED ALWAYS AS (CASE
      WHEN status = 'READY' THEN CONCAT('ready ', name)
      WHEN status = 'RUNNING' AND worker_id IS NOT NULL THEN CONCAT('under ', worker_id)
      WHEN status = 'WAITING' AND due_at IS NOT NULL THEN 'due'
      WHEN (status = 'WAITING' AND due_at IS NULL) OR (status = 'RUNNING' AND kind = 'task' AND worker_id IS NULL)
        OR (status = 'PENDING' AND ready_at IS NOT NULL AND held_by IS NULL AND deletion IS NULL) THEN 'stalled' END) STORED,
    line_turn BIGINT GENERATED ALWAYS AS (CASE WHEN status = 'READY' THEN -CAST(priority AS SIGNED) ELSE 0 END) STORED,
    line_at BIGINT GENERATED ALWAYS AS (CASE status WHEN 'READY' THEN ready_at WHEN 'WAITING' THEN COALESCE(due_at, 0) ELSE 0 END) STORED,
    line_slot INT GENERATED ALWAYS AS (CASE WHEN status = 'READY' THEN slot ELSE 0 END) STORED,
    -- The instant at which what runs has had its grace, or at which a task is late that waits for a worker.
    alarm VARBINARY(8) GENERATED ALWAYS AS (CASE
      WHEN stop_until IS NOT NULL THEN 'stop'
      WHEN deadline_at IS NOT NULL AND (status = 'READY' OR status = 'WAITING') AND kind = 'task' THEN 'deadline' END) STORED,
    alarm_at BIGINT GENERATED ALWAYS AS (CASE WHEN stop_until IS NOT NULL THEN stop_until ELSE deadline_at END) STORED,
    -- What has a business open, one bit each: 1 waits for something inside it, 2 was interrupted and has not stopped with all that it
    -- holds, 4 has a sweep to go on with.
    business TINYINT GENERATED ALWAYS AS (NULLIF(
      (CASE WHEN (kind <> 'task' AND status = 'RUNNING') OR milestone = 1 OR milestone = 2 THEN 1 ELSE 0 END)
      + (CASE WHEN status = 'INTERRUPTED' AND stop_done = 0 THEN 2 ELSE 0 END)
      + (CASE WHEN sweep IS NOT NULL THEN 4 ELSE 0 END), 0)) STORED,
    -- What has ended and is of concern to its parent, one bit each: 1 is to be credited, 2 is a child that waits for its callbacks.
    debt TINYINT GENERATED ALWAYS AS (NULLIF(
      (CASE WHEN credited < milestone THEN 1 ELSE 0 END)
      + (CASE WHEN (milestone = 1 OR milestone = 2) AND stop IS NULL AND (role = 'step' OR role = 'item') THEN 2 ELSE 0 END),
      0)) STORED,
    -- What must be unique besides ids: keys of roots, and those of the items of a swarm.
    key_place VARBINARY(2600) GENERATED ALWAYS AS (CASE
      WHEN \`key\` IS NULL THEN NULL WHEN parent_id IS NULL THEN CONCAT(x'00', \`key\`) ELSE CONCAT(parent_id, x'00', \`key\`) END) STORED,
    -- What lists are made of, newest first: roots by their status, those that are marked for deletion apart, and what else has a status
    -- to look into.
    listed VARBINARY(24) GENERATED ALWAYS AS (CASE
      WHEN role = 'root' THEN CONCAT(CASE WHEN purge_at IS NULL THEN 'root ' ELSE 'marked ' END, status)
      WHEN purge_at IS NOT NULL THEN CONCAT('inner ', status)
      WHEN status <> 'PENDING' AND status <> 'READY' AND status <> 'RUNNING' AND status <> 'SUCCEEDED' THEN status END) STORED,
    KEY newest (created_at),
    KEY children (parent_id, child_status, child_turn, child_slot),
    KEY line (line, line_turn, line_at, line_slot),
    KEY alarm (alarm, alarm_at),
    KEY purges (purge_at),
    KEY held (held_by),
    KEY business (business),
    KEY debt (debt, parent_id),
    UNIQUE KEY keys_taken (key_place),
    KEY listed (listed, created_at)
  ) #`,

  `-- The instants at which something inside a workflow was stored: what finds it in the index newest.
  CREATE TABLE IF NOT EXISTS mageflow_births (
    root_id VARBINARY(1500) NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (root_id, created_at)
  ) #`,

  `-- Roots by tag, to be listed in the order of their creation.
  CREATE TABLE IF NOT EXISTS mageflow_root_tags (
    tag VARBINARY(1500) NOT NULL,
    created_at BIGINT NOT NULL,
    root_id VARBINARY(1500) NOT NULL,
    PRIMARY KEY (tag, created_at, root_id)
  ) #`,

  `-- Trees that are still being stored, or removed: those have begun before all time. What is under one of these roots is not shown.
  CREATE TABLE IF NOT EXISTS mageflow_drafts (
    root_id VARBINARY(1500) NOT NULL PRIMARY KEY,
    begun_at BIGINT NOT NULL,
    KEY by_age (begun_at)
  ) #`,

  `CREATE TABLE IF NOT EXISTS mageflow_specs (
    root_id VARBINARY(1500) NOT NULL,
    id VARBINARY(1500) NOT NULL,
    body LONGTEXT NOT NULL,
    PRIMARY KEY (root_id, id)
  ) #`,

  `-- One row holds the entries that one commit adds to one workflow, numbered from seq on.
  CREATE TABLE IF NOT EXISTS mageflow_journal (
    root_id VARBINARY(1500) NOT NULL,
    seq BIGINT NOT NULL,
    count INT NOT NULL,
    at BIGINT NOT NULL,
    body LONGTEXT NOT NULL,
    PRIMARY KEY (root_id, seq)
  ) #`,

  `-- The last number of each journal. Who writes to a journal, or log lines of its workflow, has its row locked until the commit.
  CREATE TABLE IF NOT EXISTS mageflow_journal_heads (root_id VARBINARY(1500) NOT NULL PRIMARY KEY, last BIGINT NOT NULL) #`,

  `CREATE TABLE IF NOT EXISTS mageflow_logs (
    seq BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id VARBINARY(1500) NOT NULL,
    root_id VARBINARY(1500) NOT NULL,
    generation INT NOT NULL,
    attempt INT NOT NULL,
    at BIGINT NOT NULL,
    level VARBINARY(8) NOT NULL,
    message LONGTEXT NOT NULL,
    fields LONGTEXT,
    KEY of_signature (id),
    KEY of_root (root_id)
  ) #`,

  `-- In the order in which they ended. Names are as long as task code likes: they stand in the key by their digest.
  CREATE TABLE IF NOT EXISTS mageflow_steps (
    seq BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id VARBINARY(1500) NOT NULL,
    generation INT NOT NULL,
    digest VARBINARY(40) NOT NULL,
    name LONGTEXT NOT NULL,
    result LONGTEXT NOT NULL,
    UNIQUE KEY of_signature (id, generation, digest)
  ) #`,
  `CREATE TABLE IF NOT EXISTS mageflow_checkpoints (
    id VARBINARY(1500) NOT NULL,
    generation INT NOT NULL,
    body LONGTEXT NOT NULL,
    PRIMARY KEY (id, generation)
  ) #`,
  `CREATE TABLE IF NOT EXISTS mageflow_progress (
    id VARBINARY(1500) NOT NULL,
    generation INT NOT NULL,
    body LONGTEXT NOT NULL,
    PRIMARY KEY (id, generation)
  ) #`,

  `-- What is left of workflows that were removed; the stub is JSON.
  CREATE TABLE IF NOT EXISTS mageflow_tombstones (
    id VARBINARY(1500) NOT NULL PRIMARY KEY,
    name LONGTEXT NOT NULL,
    kind VARBINARY(8) NOT NULL,
    status VARBINARY(16) NOT NULL,
    at BIGINT NOT NULL,
    action VARBINARY(16) NOT NULL,
    \`by\` LONGTEXT NOT NULL,
    reason LONGTEXT,
    stub LONGTEXT
  ) #`,

  `CREATE TABLE IF NOT EXISTS mageflow_audit (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    actor LONGTEXT NOT NULL,
    action LONGTEXT NOT NULL,
    target LONGTEXT NOT NULL,
    reason LONGTEXT,
    details LONGTEXT NOT NULL,
    previous_hash LONGTEXT NOT NULL,
    hash LONGTEXT NOT NULL
  ) #`,

  `CREATE TABLE IF NOT EXISTS mageflow_tickets (
    token VARBINARY(1500) NOT NULL PRIMARY KEY,
    body LONGTEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    KEY by_expiry (expires_at)
  ) #`,

  `-- What processes did about unfinished work; the entries are JSON. Only the newest are kept. started_at is for those of a start.
  CREATE TABLE IF NOT EXISTS mageflow_reports (
    id VARBINARY(1500) NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    \`by\` LONGTEXT NOT NULL,
    reason VARBINARY(16) NOT NULL,
    seen INT NOT NULL,
    resumed INT NOT NULL,
    started INT NOT NULL,
    kept INT NOT NULL,
    skipped INT NOT NULL,
    parked INT NOT NULL,
    failed INT NOT NULL,
    more TINYINT NOT NULL,
    entries LONGTEXT NOT NULL,
    started_at BIGINT GENERATED ALWAYS AS (CASE WHEN reason = 'start' THEN at END) STORED,
    KEY starts (started_at)
  ) #`,

  `-- The sessions of workers. Who counts on one to be alive holds its row; its lease stands apart, so that it can be extended meanwhile.
  CREATE TABLE IF NOT EXISTS mageflow_workers (
    id VARBINARY(1500) NOT NULL PRIMARY KEY,
    host LONGTEXT NOT NULL,
    pid INT NOT NULL,
    tasks LONGTEXT NOT NULL,
    concurrency INT NOT NULL,
    auto_resume LONGTEXT NOT NULL,
    started_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    ended_at BIGINT,
    KEY by_age (started_at)
  ) #`,
  `-- Of those that have not ended.
  CREATE TABLE IF NOT EXISTS mageflow_leases (
    id VARBINARY(1500) NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL,
    KEY by_end (lease_until)
  ) #`,

  `-- The last commit of each process.
  CREATE TABLE IF NOT EXISTS mageflow_stamps (
    \`by\` VARBINARY(1500) NOT NULL PRIMARY KEY,
    n BIGINT NOT NULL,
    at BIGINT NOT NULL
  ) #`,

  `-- Counts commits, so that others notice them: in several rows, so that they do not wait for each other.
  CREATE TABLE IF NOT EXISTS mageflow_commits (shard TINYINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL) #`,
  `INSERT IGNORE INTO mageflow_commits (shard, n) VALUES ${numbers(16)
    .map((n) => `(${n}, 0)`)
    .join(", ")}`,

  `-- Rows to be locked for something that has no row of its own.
  CREATE TABLE IF NOT EXISTS mageflow_gates (gate SMALLINT NOT NULL PRIMARY KEY) #`,
  `INSERT IGNORE INTO mageflow_gates (gate) VALUES ${numbers(258)
    .map((n) => `(${n})`)
    .join(", ")}`,
];

/** How every table is kept: # above stands for it. */
const KEPT = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

export const MIGRATIONS: readonly (readonly string[])[] = [
  FIRST.map((statement) => statement.replace(/#$/, KEPT)),
];

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
