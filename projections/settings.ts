import {
  close,
  type Db,
  defineProjection,
  FOREVER,
  find,
  type Json,
  nextTime,
  own,
  put,
  type RowChange,
  SETTINGS_STREAM,
} from 'rm3'

/** The settings of the site, now and before. One that is null is not set. */
export default defineProjection({
  name: 'settings',
  version: 1,
  mode: 'inline',
  tables: { settings: { only: SETTINGS_STREAM } },
  sql: `
    create table {settings} (
      key            text   not null,
      since          int    not null,
      value          json   not null,
      from_position  bigint not null,
      until_position bigint not null,
      primary key (key, since)
    );
    create index {settings}_now on {settings} (until_position, key);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'settings' || event.type !== 'SettingChanged') return []
    const { key, value } = event.data
    const known = before?.kind === 'settings' ? own(before.values, key) : undefined
    const rows: RowChange[] = []
    if (known !== undefined && known.value !== null) {
      rows.push(close('settings', { key, since: known.since }, event.position))
    }
    if (value !== null) {
      const row = { key, since: event.revision, value, from_position: event.position }
      rows.push(put('settings', { ...row, until_position: FOREVER }))
    }
    return rows
  },
})

const AT = `select key, value from settings
  where from_position <= $1::bigint and until_position > $1::bigint order by key`

/** All settings at a position (`FOREVER - 1` is now), by key. */
export async function listSettings(
  db: Db,
  position = FOREVER - 1,
): Promise<{ key: string; value: Json }[]> {
  return db.rows(AT, [position])
}

const LAST_START = `select started from checkpoints where kind = 'worker' and name = $1::text`

/**
 * When a worker is due that runs as a setting says: a span such as `6h`, or five fields as in crontab. The first time is at once.
 *
 * @returns null when the setting is not set, or says no time
 */
export async function findTimeBySetting(
  db: Db,
  worker: string,
  key: string,
): Promise<string | null> {
  const value = (await listSettings(db)).find(setting => setting.key === key)?.value
  if (typeof value !== 'string') return null
  const last = await find<{ started: string | null }>(db, LAST_START, [worker])
  const started = last?.started ?? null
  const next = nextTime(value, started === null ? new Date(0) : new Date(started))
  return next?.toISOString() ?? null
}
