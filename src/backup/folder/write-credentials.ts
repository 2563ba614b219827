import type { Db } from '../../pg/db.ts'
import { CREDENTIALS } from './format.ts'
import type { Output } from './write-streams.ts'

const SECRETS = `select credential, secret from credential_secrets
  where credential > $1::uuid order by credential limit $2::int`
const SECRETS_AT_ONCE = 1_000
const NO_CREDENTIAL = '00000000-0000-0000-0000-000000000000'

/** Writes the secrets of all credentials that were gathered, one to a line, as rm3 0.x named their fields. */
export async function writeCredentials(db: Db, { files, catalog, tally }: Output): Promise<void> {
  const lines: string[] = []
  for (let after = NO_CREDENTIAL; ; ) {
    const rows = await db.rows<{ credential: string; secret: string }>(SECRETS, [
      after,
      SECRETS_AT_ONCE,
    ])
    for (const { credential, secret } of rows) {
      const known = tally.credentials.get(credential)
      if (known !== undefined) lines.push(lineOf(credential, known, secret))
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

function lineOf(
  credential: string,
  { provider, userId, userPath }: { provider: string; userId: string; userPath: string },
  providerDetails: string,
): string {
  return JSON.stringify({ provider, userId, userPath, credential, providerDetails })
}
