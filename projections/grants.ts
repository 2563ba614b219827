import { close, compilePattern, type Db, defineProjection, FOREVER, GRANTS_STREAM, put } from 'rm3'

/** Which role may do what on the paths of which pattern, now and before. */
export default defineProjection({
  name: 'grants',
  version: 1,
  mode: 'inline',
  rights: true,
  tables: { grants: { only: GRANTS_STREAM } },
  sql: `
    create table {grants} (
      role           text   not null,
      permission     text   not null,
      pattern        text   not null,
      since          int    not null,
      regex          text   not null,
      from_position  bigint not null,
      until_position bigint not null,
      primary key (role, permission, pattern, since)
    );
    create index {grants}_now on {grants} (until_position, role);
  `,
  step: ({ before, event, after }) => {
    if (after.kind !== 'grants') return []
    if (event.type === 'RolePermitted') {
      const { role, permission, pattern } = event.data
      const { regex } = compilePattern(pattern)
      const row = { role, permission, pattern, since: event.revision, regex }
      return [put('grants', { ...row, from_position: event.position, until_position: FOREVER })]
    }
    if (event.type !== 'RoleDenied' || before?.kind !== 'grants') return []
    const { role, permission, pattern } = event.data
    const since = before.active[`${role} ${permission} ${pattern}`]
    if (since === undefined) return []
    return [close('grants', { role, permission, pattern, since }, event.position)]
  },
})

export interface Grant {
  readonly role: string
  readonly permission: string
  readonly pattern: string
}

const AT = `select role, permission, pattern from grants
  where from_position <= $1::bigint and until_position > $1::bigint
  order by role, permission, pattern`

/** All grants at a position (`FOREVER - 1` is now), in order of role, permission and pattern. */
export async function listGrants(db: Db, position = FOREVER - 1): Promise<Grant[]> {
  return db.rows<Grant>(AT, [position])
}
