import type { SettingKind } from './config-values.ts'

/** One setting of the environment, as `docs/reference/configuration.md` shows it. */
export interface Setting {
  readonly kind: SettingKind
  /** the value's text when it is not set; null = none */
  readonly default: string | null
  readonly meaning: string
  /** never shown, and also read from the file that NAME_FILE names */
  readonly secret: boolean
}

/** Names that begin so belong to the tests and are never looked at. */
export const IGNORED_PREFIX = 'RM3_TEST_'

/** Every setting by its name in the environment. */
export const SETTINGS = {
  RM3_PG: {
    kind: 'postgres url',
    default: null,
    secret: true,
    meaning: 'The database. Without it a PostgreSQL of its own runs in RM3_DATA.',
  },
  RM3_SITE: {
    kind: 'schema',
    default: 'rm3',
    secret: false,
    meaning: 'The site: the PostgreSQL schema that holds its log and tables.',
  },
  RM3_DATA: {
    kind: 'folder',
    default: '.rm3',
    secret: false,
    meaning: 'Where rm3 keeps what is not in the database, and the database it manages itself.',
  },
  RM3_LISTEN_PORT: {
    kind: 'port',
    default: '4000',
    secret: false,
    meaning: 'The TCP port of the web server; 0 takes any free one.',
  },
  RM3_LISTEN_HOST: {
    kind: 'host',
    default: '127.0.0.1',
    secret: false,
    meaning: 'The address or name the web server listens on.',
  },
  RM3_LOCAL_BLOBS: {
    kind: 'blob folder',
    default: null,
    secret: false,
    meaning: 'Folder of the blobs anyone may see; blobs/public in RM3_DATA when not set.',
  },
  RM3_PRIVATE_BLOBS: {
    kind: 'blob folder',
    default: null,
    secret: false,
    meaning: 'Folder of the blobs behind a permission; blobs/private in RM3_DATA when not set.',
  },
  RM3_BACKUPS: {
    kind: 'folder',
    default: null,
    secret: false,
    meaning: 'Folder of the scheduled backups; backups in RM3_DATA when not set.',
  },
  RM3_BACKUP_RECIPIENT: {
    kind: 'text',
    default: null,
    secret: false,
    meaning: 'Whom scheduled archives are encrypted for: age recipients with spaces between.',
  },
  RM3_BACKUP_IDENTITY: {
    kind: 'secret',
    default: null,
    secret: true,
    meaning:
      'What scheduled archives that are encrypted can be read again and rehearsed with: an age identity. Without it they are not.',
  },
  RM3_SESSION_SECRET: {
    kind: 'secret',
    default: null,
    secret: true,
    meaning:
      'Key of the tokens that forms of a session carry. Without it they follow from the session alone.',
  },
  RM3_EMAIL: {
    kind: 'smtp url',
    default: null,
    secret: true,
    meaning: 'The server that takes outgoing mail. Without it no mail is sent.',
  },
  RM3_JWT_SECRET: {
    kind: 'secret',
    default: null,
    secret: true,
    meaning: 'Key of JSON Web Tokens. Without it they are not accepted.',
  },
  RM3_JWT_ISSUER: {
    kind: 'text',
    default: null,
    secret: false,
    meaning: 'The issuer that JSON Web Tokens must name.',
  },
  RM3_JWT_AUDIENCE_ROOT: {
    kind: 'text',
    default: '127.0.0.1',
    secret: false,
    meaning: 'The audience that JSON Web Tokens must name begins with this.',
  },
  RM3_JWT_EXPIRES_SECONDS: {
    kind: 'seconds',
    default: '86400',
    secret: false,
    meaning: 'How long a JSON Web Token is good for.',
  },
  RM3_TOTP_ISSUER: {
    kind: 'text',
    default: 'rm3',
    secret: false,
    meaning: 'The name an authenticator app shows for this site.',
  },
  RM3_DANGER_TRUST_PROXY: {
    kind: 'proxies',
    default: 'false',
    secret: false,
    meaning: 'The proxies before rm3 whose X-Forwarded headers are believed.',
  },
  RM3_DANGER_DISABLE_HTTPS_CHECKS: {
    kind: 'boolean',
    default: 'false',
    secret: false,
    meaning: 'Lets people log in over plain HTTP from other machines.',
  },
  RM3_DANGER_UNSAFE_DATABASE: {
    kind: 'boolean',
    default: 'false',
    secret: false,
    meaning: 'Starts although fsync or synchronous_commit is off: a crash may lose saved pages.',
  },
  RM3_WF_DISABLE: {
    kind: 'boolean',
    default: 'false',
    secret: false,
    meaning:
      'Runs no workers and follows the log with no projections in the web process; rm3wf does both elsewhere.',
  },
  RM3_LOG_LEVEL: {
    kind: 'log level',
    default: 'info',
    secret: false,
    meaning: 'The least grave lines the web server writes.',
  },
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS

/** Settings of rm3 0.x without a meaning now, and what takes their place. */
export const OLD_SETTINGS: Readonly<Record<string, string>> = {
  RM3_SESSION_REDIS: 'sessions are kept in PostgreSQL.',
  RM3_CACHE_REDIS: 'there is no outside cache.',
  RM3_RESOURCES: 'static files come with the scheme.',
  RM3_TWITTER_CONSUMER_KEY: 'login by Twitter is gone.',
  RM3_TWITTER_CONSUMER_SECRET: 'login by Twitter is gone.',
  RM3_CACHE_CONTROL_DISABLE: 'answers are always checked by their ETag.',
  RM3_WF_RUN_INTERVAL: 'workers are woken by the log.',
}
