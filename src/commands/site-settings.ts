import type { Json } from '../codec/json.ts'
import { findPolicy, isFullEvery } from '../content/keep-policy.ts'
import { isTimeZone } from '../content/time-zone.ts'
import { Rm3Error } from '../errors.ts'
import { isCron, parseEvery } from '../jobs/cron.ts'
import { type Db, find } from '../pg/db.ts'

/** A setting that rm3 itself reads. */
interface SiteSetting {
  /** What its values are, in words. */
  readonly takes: string
  readonly fits: (value: Json, db: Db) => boolean | Promise<boolean>
}

const TEXT: SiteSetting = { takes: 'a text', fits: isText }
const TIME: SiteSetting = {
  takes: 'a span such as 6h, or five fields as in crontab',
  fits: value => isText(value) && (parseEvery(value) !== null || isCron(value)),
}

/** The settings of a site that rm3 reads, by name. */
export const SITE_SETTINGS: Readonly<Record<string, SiteSetting>> = {
  'backup.drill': TIME,
  'backup.full': {
    takes: 'a number from 1 to 1000',
    fits: isFullEvery,
  },
  'backup.keep': {
    takes: 'numbers by rule, such as {"daily": 7, "weekly": 5, "monthly": 12}',
    fits: value => findPolicy(value) !== null,
  },
  'backup.kind': {
    takes: 'archive or folder',
    fits: value => value === 'archive' || value === 'folder',
  },
  'backup.schedule': TIME,
  'search.language': {
    takes: 'a text search configuration of PostgreSQL, such as english, german or simple',
    fits: async (value, db) => isText(value) && (await find(db, LANGUAGE, [value])) !== null,
  },
  'site.copyright': TEXT,
  'site.language': {
    takes: 'the tag of a language, such as en or de-AT',
    fits: value => isText(value) && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(value),
  },
  'site.timezone': {
    takes: 'the name of a time zone, such as Europe/Berlin',
    fits: value => isText(value) && isTimeZone(value),
  },
  'site.title': TEXT,
  'site.url': {
    takes: 'the address of the site, such as https://example.org',
    fits: value => isText(value) && /^https?:\/\//.test(value) && URL.canParse(value),
  },
}

const LANGUAGE = `select 1 as known from pg_ts_config where cfgname = $1::text and cfgnamespace = 'pg_catalog'::regnamespace`
/** Names that begin so are ours; all others are for plugins, and take any JSON. */
const OWN = /^(?:site|search|backup)\./

/** Whether a setting may have a value; null is none. @throws REQUEST_INVALID saying what it takes, also for a name like ours that we do not know */
export async function checkSetting(db: Db, key: string, value: Json): Promise<void> {
  if (value === null || !OWN.test(key)) return
  const setting = Object.hasOwn(SITE_SETTINGS, key) ? SITE_SETTINGS[key] : undefined
  if (setting === undefined) {
    const names = Object.keys(SITE_SETTINGS).join(', ')
    throw new Rm3Error(
      'REQUEST_INVALID',
      `"${key.slice(0, 80)}" is no setting of rm3; there are ${names}`,
      { key: key.slice(0, 80) },
    )
  }
  if (await setting.fits(value, db)) return
  throw new Rm3Error('REQUEST_INVALID', `${key} is ${setting.takes}`, { key })
}

function isText(value: Json): value is string {
  return typeof value === 'string' && value.trim() !== ''
}
