/** Tables. Times are milliseconds since the epoch, sizes bytes, JSON columns hold what `JSON.stringify` gave. */
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import type { Json, JsonObject } from '$lib/shared/json';
import type { OperationState, PoolEventKind, PoolState, Role, StepState, Verdict } from '$lib/shared/states';
import type { BootReport } from '$lib/shared/wire/boots';
import type { ImageArch, ImageFormat, ImageKind, ImageOrigin, ImageOs } from '$lib/shared/wire/images';
import type { AuditKind, AuditOutcome } from '$lib/shared/audit-words';
import type { ProposalState } from '$lib/shared/wire/proposals';
import type { Scope } from '$lib/shared/scopes';
import type { Actor } from '$lib/shared/wire/session';
import { HOST_STOP, type HostStopThen } from '$lib/shared/wire/vm-host-stop';
import type { DeliveryState } from '$lib/shared/wire/notifications';
import type { ChannelKind } from '$lib/shared/channel-kinds';
import type { SubjectType, WireError } from '$lib/shared/wire/operations';
import type { Action, Checksum, Look, Step } from '$lib/plugin-api/plan';
import type { DriveRole } from '$lib/plugin-api/storage';
import type { VirtType, VmSpec } from '$lib/plugin-api/vm';
import type { Message } from '../notifications/message';
import type { Prepared } from '../operations/types';

export const meta = sqliteTable('meta', { key: text('key').primaryKey(), value: text('value').notNull() });

/** One row for each start of Cairn. */
export const boots = sqliteTable('boots', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  startedAt: integer('started_at').notNull(),
  report: text('report', { mode: 'json' }).$type<Omit<BootReport, 'id'>>().notNull(),
  dismissedAt: integer('dismissed_at'),
});

export const users = sqliteTable('users', {
  id: text('id').primaryKey(),
  username: text('username').notNull().unique(),
  passwordHash: text('password_hash').notNull(),
  role: text('role').$type<Role>().notNull(),
  createdAt: integer('created_at').notNull(),
});

/** `id` is the SHA-256 of the token in the cookie: a copy of the database opens no session. */
export const sessions = sqliteTable(
  'sessions',
  {
    id: text('id').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    userAgent: text('user_agent').notNull().default(''),
    address: text('address').notNull().default(''),
    /** Noted once a minute, with the address it came from. */
    lastSeenAt: integer('last_seen_at'),
    lastAddress: text('last_address'),
    /** When the password was last given in this session. */
    confirmedAt: integer('confirmed_at'),
  },
  (table) => [index('sessions_user').on(table.userId)],
);

export const apiKeys = sqliteTable('api_keys', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  prefix: text('prefix').notNull(),
  hash: text('hash').notNull().unique(),
  role: text('role').$type<Role>().notNull(),
  createdAt: integer('created_at').notNull(),
  lastUsedAt: integer('last_used_at'),
  /** Null: all that the role allows, as keys had it before there were scopes. */
  scopes: text('scopes', { mode: 'json' }).$type<Scope[]>(),
  /** Null: never. */
  expiresAt: integer('expires_at'),
  lastAddress: text('last_address'),
});

/** The secret itself is a file that only root may read; a code counts once, and none before the last one that did. */
export const userTotp = sqliteTable('user_totp', {
  userId: text('user_id')
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  secretRef: text('secret_ref').notNull(),
  lastStep: integer('last_step').notNull(),
  createdAt: integer('created_at').notNull(),
});

/** Each opens once what the phone would; gone when used. */
export const recoveryCodes = sqliteTable(
  'recovery_codes',
  {
    hash: text('hash').primaryKey(),
    userId: text('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
  },
  (table) => [index('recovery_codes_user').on(table.userId)],
);

/**
 * Who did what. Rows are written before the act; triggers of the migration let only an entry that has not ended be
 * changed, and only the oldest of its kind be removed.
 */
export const auditEntries = sqliteTable(
  'audit_entries',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    kind: text('kind').$type<AuditKind>().notNull(),
    at: integer('at').notNull(),
    endedAt: integer('ended_at'),
    actorKind: text('actor_kind').$type<Actor['kind'] | 'nobody'>().notNull(),
    actorId: text('actor_id'),
    actorName: text('actor_name').notNull(),
    address: text('address').notNull(),
    userAgent: text('user_agent').notNull(),
    what: text('what').notNull(),
    input: text('input', { mode: 'json' }).$type<Json>(),
    outcome: text('outcome').$type<AuditOutcome>().notNull(),
    code: text('code'),
    operationId: text('operation_id'),
    /** More than one: the same call, refused this often within a minute. */
    times: integer('times').notNull().default(1),
  },
  (table) => [index('audit_kind').on(table.kind, table.id), index('audit_outcome').on(table.outcome)],
);

/** What a program may only propose: a person approves or rejects it. */
export const proposals = sqliteTable(
  'proposals',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    request: text('request', { mode: 'json' }).$type<JsonObject>().notNull(),
    title: text('title').notNull(),
    note: text('note').notNull(),
    proposedBy: text('proposed_by').notNull(),
    createdAt: integer('created_at').notNull(),
    state: text('state').$type<ProposalState>().notNull(),
    decidedBy: text('decided_by'),
    decidedAt: integer('decided_at'),
    operationId: text('operation_id'),
  },
  (table) => [index('proposals_state').on(table.state, table.createdAt)],
);

/** `key` is `user:<name>` or `address:<ip>`. */
export const loginThrottle = sqliteTable('login_throttle', {
  key: text('key').primaryKey(),
  failures: integer('failures').notNull(),
  blockedUntil: integer('blocked_until').notNull(),
  lastAt: integer('last_at').notNull(),
});

/** Every drive ever seen; what it is now is read from the machine. */
export const drives = sqliteTable('drives', {
  id: text('id').primaryKey(),
  serial: text('serial'),
  wwn: text('wwn'),
  model: text('model'),
  vendor: text('vendor'),
  sizeBytes: integer('size_bytes').notNull(),
  bus: text('bus').notNull(),
  rotational: integer('rotational', { mode: 'boolean' }),
  sandbox: integer('sandbox', { mode: 'boolean' }).notNull(),
  bayLabel: text('bay_label'),
  protectedByUser: integer('protected_by_user', { mode: 'boolean' }).notNull().default(false),
  /** It was taken out of a pool: not offered for another until a person releases it. */
  setAsideAt: integer('set_aside_at'),
  setAsideWhy: text('set_aside_why'),
  firstSeenAt: integer('first_seen_at').notNull(),
  lastSeenAt: integer('last_seen_at').notNull(),
});

export const pools = sqliteTable(
  'pools',
  {
    guid: text('guid').primaryKey(),
    label: text('label').notNull(),
    /** Lower case, for uniqueness. */
    labelKey: text('label_key').notNull(),
    plugin: text('plugin').notNull(),
    layout: text('layout').notNull(),
    options: text('options', { mode: 'json' }).$type<Record<string, Json>>().notNull(),
    mountPath: text('mount_path').notNull(),
    mountPathExisted: integer('mount_path_existed', { mode: 'boolean' }).notNull(),
    /** What its plugin needs to know of a pool that was found, not made; null for pools that Cairn made. */
    facts: text('facts', { mode: 'json' }).$type<Record<string, Json>>(),
    state: text('state').$type<PoolState>().notNull(),
    /** What the user wants: mounted again at the next start. */
    wantMounted: integer('want_mounted', { mode: 'boolean' }).notNull(),
    errorMessage: text('error_message'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [
    uniqueIndex('pools_label').on(table.labelKey),
    uniqueIndex('pools_mount_path').on(table.mountPath),
  ],
);

export const poolDrives = sqliteTable(
  'pool_drives',
  {
    poolGuid: text('pool_guid')
      .notNull()
      .references(() => pools.guid, { onDelete: 'cascade' }),
    slot: integer('slot').notNull(),
    driveId: text('drive_id').notNull(),
    serial: text('serial'),
    label: text('label').notNull(),
    sizeBytes: integer('size_bytes').notNull(),
    role: text('role').$type<DriveRole>().notNull().default('data'),
  },
  (table) => [
    primaryKey({ columns: [table.poolGuid, table.slot] }),
    uniqueIndex('pool_drives_drive').on(table.driveId),
  ],
);

/** What happened to a pool, whoever did it; stays when the pool is gone. */
export const poolEvents = sqliteTable(
  'pool_events',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    poolGuid: text('pool_guid').notNull(),
    at: integer('at').notNull(),
    kind: text('kind').$type<PoolEventKind>().notNull(),
    /** One sentence. */
    text: text('text').notNull(),
    operationId: text('operation_id'),
  },
  (table) => [index('pool_events_pool').on(table.poolGuid, table.id)],
);

/** Used space over time, for the chart. */
export const poolSamples = sqliteTable(
  'pool_samples',
  {
    poolGuid: text('pool_guid').notNull(),
    at: integer('at').notNull(),
    sizeBytes: integer('size_bytes').notNull(),
    usedBytes: integer('used_bytes').notNull(),
  },
  (table) => [primaryKey({ columns: [table.poolGuid, table.at] })],
);

/** The last SMART reading of a drive; by its id, so that it goes with the drive to other pools and ports. */
export const driveHealth = sqliteTable('drive_health', {
  driveId: text('drive_id').primaryKey(),
  readAt: integer('read_at').notNull(),
  reading: text('reading', { mode: 'json' }).$type<JsonObject>().notNull(),
});
export const driveSamples = sqliteTable(
  'drive_samples',
  {
    driveId: text('drive_id').notNull(),
    at: integer('at').notNull(),
    temperatureCelsius: integer('temperature_celsius'),
    /** The counters worth a history: reallocated, pending, uncorrectable sectors, CRC errors, percent worn. */
    counters: text('counters', { mode: 'json' }).$type<Record<string, number>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.driveId, table.at] })],
);

/** What was saved of a drive before it was wiped: the file holds the bytes, this row says what they are. */
export const wipeBackups = sqliteTable('wipe_backups', {
  id: text('id').primaryKey(),
  driveId: text('drive_id').notNull(),
  createdAt: integer('created_at').notNull(),
  /** What was on it, for people. */
  description: text('description').notNull(),
  path: text('path').notNull(),
  /** Hash of what the wipe left: taking back is possible while the drive still is like that. */
  contentHash: text('content_hash').notNull(),
  takenBackAt: integer('taken_back_at'),
  /** Its file was removed because its time was over. */
  expiredAt: integer('expired_at'),
});

/** How far a person is with replacing a drive of a pool, step by step: intent only, the rest is read from the machine. */
export const replaceGuides = sqliteTable('replace_guides', {
  poolGuid: text('pool_guid')
    .primaryKey()
    .references(() => pools.guid, { onDelete: 'cascade' }),
  slot: integer('slot').notNull(),
  driveId: text('drive_id').notNull(),
  /** swap: the old drive comes out first; beside: it stays in until the new one has everything. */
  way: text('way').$type<'swap' | 'beside'>().notNull(),
  /** Drives that were there when a drive was about to be pulled: who else is missing since was pulled by mistake. */
  here: text('here', { mode: 'json' }).$type<string[]>().notNull(),
  /** When the right one was seen to be out. */
  pulledAt: integer('pulled_at'),
  freshId: text('fresh_id'),
  operationId: text('operation_id'),
  startedBy: text('started_by').notNull(),
  startedAt: integer('started_at').notNull(),
});

/** Conditions that hold or held. `id` names the condition and its subject, so that it is raised once. */
export const alerts = sqliteTable(
  'alerts',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    severity: text('severity').$type<'info' | 'warning' | 'critical'>().notNull(),
    subjectType: text('subject_type').$type<SubjectType>().notNull(),
    subjectId: text('subject_id').notNull(),
    subjectLabel: text('subject_label').notNull(),
    title: text('title').notNull(),
    text: text('text').notNull(),
    remedy: text('remedy'),
    raisedAt: integer('raised_at').notNull(),
    changedAt: integer('changed_at').notNull(),
    resolvedAt: integer('resolved_at'),
    acknowledgedAt: integer('acknowledged_at'),
    acknowledgedBy: text('acknowledged_by'),
  },
  (table) => [index('alerts_resolved').on(table.resolvedAt)],
);

/** Ways to tell people of alerts. What is secret lies in a file that only root may read, named `secretsRef`. */
export const channels = sqliteTable('channels', {
  id: text('id').primaryKey(),
  kind: text('kind').$type<ChannelKind>().notNull(),
  name: text('name').notNull().unique(),
  target: text('target').notNull(),
  minSeverity: text('min_severity').$type<'info' | 'warning' | 'critical'>().notNull(),
  quietHours: text('quiet_hours', { mode: 'json' }).$type<{ from: string; until: string }>(),
  digestAt: text('digest_at'),
  criticalAtOnce: integer('critical_at_once', { mode: 'boolean' }).notNull(),
  settings: text('settings', { mode: 'json' }).$type<JsonObject>().notNull(),
  secretsRef: text('secrets_ref').notNull(),
  secretsSet: text('secrets_set', { mode: 'json' }).$type<string[]>().notNull(),
  createdAt: integer('created_at').notNull(),
});

/** What is to be told and was told: written in the transaction that changes the alert, so that neither is without the other. */
export const outbox = sqliteTable(
  'outbox',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    /** UUID, the same in every attempt. */
    id: text('id').notNull().unique(),
    channelId: text('channel_id')
      .notNull()
      .references(() => channels.id, { onDelete: 'cascade' }),
    /** Of the alert; null: a digest. */
    alertId: text('alert_id'),
    alertRaisedAt: integer('alert_raised_at'),
    message: text('message', { mode: 'json' }).$type<Message>().notNull(),
    state: text('state').$type<DeliveryState>().notNull(),
    /** When it is let go (held) or tried next (waiting). */
    dueAt: integer('due_at').notNull(),
    attempts: integer('attempts').notNull().default(0),
    firstTriedAt: integer('first_tried_at'),
    lastError: text('last_error'),
    createdAt: integer('created_at').notNull(),
    /** When it was told, taken in by a digest, or given up. */
    endedAt: integer('ended_at'),
  },
  (table) => [
    index('outbox_state').on(table.state, table.dueAt),
    index('outbox_channel').on(table.channelId, table.seq),
    index('outbox_alert').on(table.alertId),
  ],
);

/** What is to be done again and again: a scrub, a snapshot. node-cron starts an operation, nothing else. */
export const schedules = sqliteTable('schedules', {
  id: text('id').primaryKey(),
  /** Kind of the operation that is started. */
  kind: text('kind').notNull(),
  subjectId: text('subject_id').notNull(),
  cron: text('cron').notNull(),
  enabled: integer('enabled', { mode: 'boolean' }).notNull(),
  /** What the operation needs besides its subject: retention of snapshots. */
  settings: text('settings', { mode: 'json' }).$type<JsonObject>().notNull(),
  lastRunAt: integer('last_run_at'),
  /** Why the last run could not begin; null: it could. */
  lastError: text('last_error'),
  createdAt: integer('created_at').notNull(),
});

/** Machines as they were asked for. Whether one runs is asked of its engine. */
export const vms = sqliteTable('vms', {
  /** UUID; of its domain too. */
  id: text('id').primaryKey(),
  name: text('name').notNull().unique(),
  plugin: text('plugin').notNull(),
  /** failed: its creation was taken back; only its name is kept for it, until it is tried again or removed. */
  state: text('state').$type<'creating' | 'ready' | 'failed' | 'removing'>().notNull(),
  cpus: integer('cpus').notNull(),
  memoryBytes: integer('memory_bytes').notNull(),
  /** Promised to its disks, all together: also what one of them is just being given. */
  diskBytes: integer('disk_bytes').notNull(),
  disk: text('disk').$type<'overlay' | 'copy' | 'empty' | 'linked'>().notNull(),
  virtType: text('virt_type').$type<VirtType>().notNull(),
  /** Kept when the pool or the image is gone: they may come back. */
  poolGuid: text('pool_guid').notNull(),
  imageId: text('image_id').notNull(),
  imageName: text('image_name').notNull(),
  spec: text('spec', { mode: 'json' }).$type<VmSpec>().notNull(),
  user: text('user'),
  /** Of the creation that failed, and why. */
  failedOperationId: text('failed_operation_id'),
  failedText: text('failed_text'),
  createdAt: integer('created_at').notNull(),
});

type VmRecord = typeof vms.$inferSelect;
/** Machines that were removed, with their files in a folder of ours on their pool until their time is over. */
export const removedVms = sqliteTable('removed_vms', {
  /** UUID that it had, and has again when it comes back. */
  id: text('id').primaryKey(),
  poolGuid: text('pool_guid').notNull(),
  /** For people: the pool may be gone. */
  poolLabel: text('pool_label').notNull(),
  record: text('record', { mode: 'json' }).$type<VmRecord>().notNull(),
  settings: text('settings', { mode: 'json' }).$type<JsonObject>().notNull(),
  /** All that its engine knew of it; null: it knew nothing any more. */
  facts: text('facts', { mode: 'json' }).$type<JsonObject | null>(),
  /** Absolute. */
  folder: text('folder').notNull(),
  /** Of the pool, that its files take. */
  takenBytes: integer('taken_bytes').notNull(),
  removedAt: integer('removed_at').notNull(),
  /** Then it may be emptied by itself. */
  keptUntil: integer('kept_until').notNull(),
});

/** What people want of a machine, whatever is done to it; without a row it is as the defaults say. */
export const vmSettings = sqliteTable('vm_settings', {
  vmId: text('vm_id')
    .primaryKey()
    .references(() => vms.id, { onDelete: 'cascade' }),
  isProtected: integer('is_protected', { mode: 'boolean' }).notNull().default(false),
  /** Starts with the appliance: those with a lower order first, the next one so much later. */
  autostart: integer('autostart', { mode: 'boolean' }).notNull().default(false),
  startOrder: integer('start_order').notNull().default(0),
  startDelaySeconds: integer('start_delay_seconds').notNull().default(0),
  /** For people, in small letters and natural order. */
  tags: text('tags', { mode: 'json' }).$type<string[]>().notNull().default([]),
  notes: text('notes').notNull().default(''),
  /** The boot in which its turn to start by itself has come, or in which somebody else has decided about it. */
  turnBootId: text('turn_boot_id'),
  /** Why it could not be started when its turn came. */
  turnText: text('turn_text'),
  /** When the host goes down: so long it has to shut down, and what is done then. */
  hostStopSeconds: integer('host_stop_seconds').notNull().default(HOST_STOP.seconds),
  hostStopThen: text('host_stop_then').$type<HostStopThen>().notNull().default(HOST_STOP.otherwise),
  /** It starts with the host when it ran as that went down. */
  startsAgain: integer('starts_again', { mode: 'boolean' }).notNull().default(HOST_STOP.startsAgain),
  /** It ran when the host went down the last time, and has neither been started nor stopped since. */
  ranAtHostStop: integer('ran_at_host_stop', { mode: 'boolean' }).notNull().default(false),
});

/** What machines used: averages of the time since the sample before, and of each hour when they are old. */
export const vmSamples = sqliteTable(
  'vm_samples',
  {
    vmId: text('vm_id')
      .notNull()
      .references(() => vms.id, { onDelete: 'cascade' }),
    at: integer('at').notNull(),
    cpuPercent: real('cpu_percent').notNull(),
    memoryBytes: real('memory_bytes'),
    readRate: real('read_rate').notNull(),
    writeRate: real('write_rate').notNull(),
    receiveRate: real('receive_rate').notNull(),
    sendRate: real('send_rate').notNull(),
  },
  (table) => [primaryKey({ columns: [table.vmId, table.at] })],
);

/** Files that virtual machines are made from. What is there now is read from the machine. */
export const images = sqliteTable(
  'images',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    kind: text('kind').$type<ImageKind>().notNull(),
    format: text('format').$type<ImageFormat>().notNull(),
    os: text('os', { mode: 'json' }).$type<ImageOs | null>(),
    arch: text('arch').$type<ImageArch>(),
    origin: text('origin').$type<ImageOrigin>().notNull(),
    catalogId: text('catalog_id'),
    url: text('url'),
    checksum: text('checksum', { mode: 'json' }).$type<Checksum | null>(),
    defaultUser: text('default_user'),
    minDiskBytes: integer('min_disk_bytes'),
    minMemoryBytes: integer('min_memory_bytes'),
    /** Kept when the pool is gone: the file may come back with it. */
    poolGuid: text('pool_guid').notNull(),
    /** Path below the pool's mount path. */
    file: text('file').notNull(),
    sizeBytes: integer('size_bytes'),
    /** forgotten: taken off the list, the file stays. */
    state: text('state').$type<'creating' | 'ready' | 'deleting' | 'forgotten'>().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [uniqueIndex('images_file').on(table.poolGuid, table.file)],
);

/** Entries of the catalog that people made. */
export const catalogEntries = sqliteTable('catalog_entries', {
  id: text('id').primaryKey(),
  name: text('name').notNull().unique(),
  kind: text('kind').$type<ImageKind>().notNull(),
  arch: text('arch').$type<ImageArch>(),
  url: text('url').notNull(),
  /** A sum, or the address of a list of them. */
  checksum: text('checksum'),
  defaultUser: text('default_user'),
  minDiskBytes: integer('min_disk_bytes'),
  minMemoryBytes: integer('min_memory_bytes'),
  /** An administrator has allowed that its addresses lie in a private network. */
  allowPrivate: integer('allow_private', { mode: 'boolean' }).notNull(),
  createdAt: integer('created_at').notNull(),
});

/** What the publisher of an entry of the catalog offered when it was last asked. */
export const catalogReadings = sqliteTable('catalog_readings', {
  entryId: text('entry_id').primaryKey(),
  sizeBytes: integer('size_bytes'),
  /** In hexadecimal; tells one build from another. */
  checksum: text('checksum'),
  /** Why it could not be asked the last time; what stands beside is of the time before. */
  problem: text('problem'),
  askedAt: integer('asked_at').notNull(),
});

/** Who made a snapshot and when, as far as Cairn did it; which there are is asked of the pool itself. */
export const poolSnapshots = sqliteTable(
  'pool_snapshots',
  {
    poolGuid: text('pool_guid').notNull(),
    name: text('name').notNull(),
    madeAt: integer('made_at').notNull(),
    madeBy: text('made_by').notNull(),
    origin: text('origin').$type<'person' | 'schedule' | 'roll-back' | 'outside'>().notNull(),
    /** Nobody removes it, neither the clock nor a person, until the protection is taken away. */
    protected: integer('protected', { mode: 'boolean' }).notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.poolGuid, table.name] })],
);

export const operations = sqliteTable(
  'operations',
  {
    seq: integer('seq').primaryKey({ autoIncrement: true }),
    id: text('id').notNull().unique(),
    kind: text('kind').notNull(),
    title: text('title').notNull(),
    subjectType: text('subject_type').$type<SubjectType>().notNull(),
    subjectId: text('subject_id').notNull(),
    subjectLabel: text('subject_label').notNull(),
    state: text('state').$type<OperationState>().notNull(),
    verdict: text('verdict').$type<Verdict>(),
    evidence: text('evidence', { mode: 'json' }).$type<string[]>().notNull(),
    request: text('request', { mode: 'json' }).$type<JsonObject>().notNull(),
    /** The prepared plan as it was confirmed, whole. */
    prepared: text('prepared', { mode: 'json' }).$type<Prepared>().notNull(),
    planHash: text('plan_hash').notNull(),
    onInterrupt: text('on_interrupt').$type<'take-back' | 'finish' | 'continue'>().notNull(),
    requestedBy: text('requested_by').notNull(),
    createdAt: integer('created_at').notNull(),
    endedAt: integer('ended_at'),
    deadlineAt: integer('deadline_at').notNull(),
    /** Renewed while a worker lives; past it, with no worker in this process, the sweeper recovers. */
    leaseUntil: integer('lease_until').notNull(),
    cancelRequestedAt: integer('cancel_requested_at'),
    error: text('error', { mode: 'json' }).$type<WireError>(),
    retryOf: text('retry_of'),
  },
  (table) => [
    index('operations_state').on(table.state),
    index('operations_subject').on(table.subjectId, table.kind, table.seq),
    index('operations_ended').on(table.endedAt),
  ],
);

export const operationLocks = sqliteTable(
  'operation_locks',
  {
    /** A lock exists while its operation lives: rows go in the transaction that ends it, and there is no other unlock. */
    lock: text('lock').primaryKey(),
    operationId: text('operation_id')
      .notNull()
      .references(() => operations.id, { onDelete: 'cascade' }),
  },
  (table) => [index('operation_locks_operation').on(table.operationId)],
);

export const steps = sqliteTable(
  'steps',
  {
    operationId: text('operation_id')
      .notNull()
      .references(() => operations.id, { onDelete: 'cascade' }),
    index: integer('step_index').notNull(),
    name: text('name').notNull(),
    title: text('title').notNull(),
    run: text('run', { mode: 'json' }).$type<Action>().notNull(),
    undo: text('undo', { mode: 'json' }).$type<Step['undo']>().notNull(),
    look: text('look', { mode: 'json' }).$type<Look>().notNull(),
    destroys: text('destroys', { mode: 'json' }).$type<string[]>().notNull(),
    /** The act and its way back as lines for people, with the device paths of the moment the plan was made. */
    command: text('command').notNull(),
    undoText: text('undo_text').notNull(),
    state: text('state').$type<StepState>().notNull(),
    beganAt: integer('began_at'),
    endedAt: integer('ended_at'),
    error: text('error'),
    /** The boot of the machine (kernel's boot_id) in which it was last seen to be done. */
    bootId: text('boot_id'),
  },
  (table) => [primaryKey({ columns: [table.operationId, table.index] })],
);

/** A program that a step or its undo started. Its identity is committed before it may act. */
export const commands = sqliteTable(
  'commands',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    operationId: text('operation_id')
      .notNull()
      .references(() => operations.id, { onDelete: 'cascade' }),
    stepIndex: integer('step_index').notNull(),
    phase: text('phase').$type<'run' | 'undo'>().notNull(),
    argv: text('argv', { mode: 'json' }).$type<string[]>().notNull(),
    recordPath: text('record_path').notNull(),
    pid: integer('pid'),
    startTicks: integer('start_ticks'),
    bootId: text('boot_id'),
    startedAt: integer('started_at').notNull(),
    endedAt: integer('ended_at'),
    exitCode: integer('exit_code'),
    signal: text('signal'),
  },
  (table) => [index('commands_operation').on(table.operationId, table.id)],
);

export const outputs = sqliteTable(
  'outputs',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    commandId: integer('command_id')
      .notNull()
      .references(() => commands.id, { onDelete: 'cascade' }),
    operationId: text('operation_id')
      .notNull()
      .references(() => operations.id, { onDelete: 'cascade' }),
    stream: text('stream').$type<'stdout' | 'stderr'>().notNull(),
    text: text('text').notNull(),
    at: integer('at').notNull(),
  },
  (table) => [
    index('outputs_operation').on(table.operationId, table.id),
    index('outputs_command').on(table.commandId, table.id),
  ],
);
