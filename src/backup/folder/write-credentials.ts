import type { Db } from '../../pg/db.ts'
import { CREDENTIALS } from './format.ts'
import type { Output } from './write-streams.ts'

const SECRETS = `select credential, secret, date_trunc('milliseconds', created) as created from credential_secrets
  where credential > $1::uuid order by credential limit $2::int`
const SECRETS_AT_ONCE = 1_000
const NO_CREDENTIAL = '00000000-0000-0000-0000-000000000000'

interface Row {
  readonly credential: string
  readonly secret: string
  readonly created: string
}

interface Known {
  readonly provider: string
  readonly userId: string
  readonly userPath: string
}

/** Writes the secrets of all credentials that were gathered, one to a line, as rm3 0.x named their fields. */
export async function writeCredentials(db: Db, { files, catalog, tally }: Output): Promise<void> {
  const lines: string[] = []
  for (let after = NO_CREDENTIAL; ; ) {
    const rows = await db.rows<Row>(SECRETS, [after, SECRETS_AT_ONCE])
    for (const row of rows) {
      const known = tally.credentials.get(row.credential)
      if (known !== undefined) lines.push(lineOf(row, known))
    }
    const last = rows.at(-1)
    if (last === undefined) break
    after = last.credential
  }
  tally.counts.credentials = lines.length
  const body = lines.length === 0 ? '' : `\n${lines.join(',\n')}`
  const written = await files.put(CREDENTIALS, `[${body}\n]\n`)
  await catalog.add({ name: CREDENTIALS, kind: 'credentials', ...written })
}

function lineOf({ credential, secret, created }: Row, known: Known): string {
  return JSON.stringify({ ...known, credential, created, providerDetails: secret })
}
