/** Whether what is committed must outlive a crash of the machine, or everything is thrown away afterwards (tests). */
export type ManagedMode = 'durable' | 'throwaway'

const COMMON = {
  listen_addresses: '',
  port: '5432',
  unix_socket_permissions: '0700',
  timezone: 'UTC',
  log_timezone: 'UTC',
  jit: 'off',
  // No statement ever reaches the log file: it may hold what must not be kept.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  max_connections: '60',
  max_logical_replication_workers: '0',
}

const SETTINGS: Readonly<Record<ManagedMode, Readonly<Record<string, string>>>> = {
  durable: {
    ...COMMON,
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    wal_level: 'replica',
    shared_buffers: '128MB',
    max_wal_size: '512MB',
    idle_in_transaction_session_timeout: '60s',
  },
  throwaway: {
    ...COMMON,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    shared_buffers: '64MB',
    max_connections: '200',
  },
}

/** The server's settings as arguments of `postgres`; they win over postgresql.conf. */
export function settingsArguments(mode: ManagedMode, more: Record<string, string>): string[] {
  return Object.entries({ ...SETTINGS[mode], ...more }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
}
