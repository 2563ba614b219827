import { close, type Db, defineProjection, FOREVER, type Json, own, put } from 'rm3'

/** The settings of the site, now and before. */
export default defineProjection({
  name: 'settings',
  version: 1,
  tables: ['settings'],
  sql: `
    create table settings (
      key            text   not null,
      since          int    not null,
      value          json, -- null is a value too, and a row of JSON cannot tell the two apart
      from_position  bigint not null,
      until_position bigint not null,
      primary key (key, since)
    );
    create index settings_now on settings (until_position, key);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'settings' || event.type !== 'SettingChanged') return []
    const { key, value } = event.data
    const row = { key, since: event.revision, value }
    const now = put('settings', { ...row, from_position: event.position, until_position: FOREVER })
    const since = before?.kind === 'settings' ? own(before.values, key)?.since : undefined
    if (since === undefined) return [now]
    return [close('settings', { key, since }, event.position), now]
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
