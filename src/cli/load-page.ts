import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { findAccountAtPath } from '../../projections/accounts.ts'
import { type LegacyPage, readLegacyPage } from '../backup/legacy/page.ts'
import { readPageHistory } from '../backup/page-history.ts'
import type { Json } from '../codec/json.ts'
import { Change, change, type Site } from '../commands/change.ts'
import type { ImportedEvent } from '../commands/import.ts'
import { type ImportedPage, importPage } from '../commands/import-page.ts'
import { parsePath } from '../content/path.ts'
import { Rm3Error } from '../errors.ts'
import type { Call, Outcome } from './command.ts'
import { importLines } from './import-lines.ts'
import { AS_ROOT, withSite } from './open.ts'
import { readStdin } from './stdin.ts'

/** Loads one page as a new one. @throws SOURCE_NOT_FOUND, SOURCE_DAMAGED, PATH_TAKEN */
export async function loadPage(call: Call, file: string): Promise<Outcome> {
  const source = file === '-' ? await readStdin(call) : await readSource(call, file)
  const name = file === '-' ? 'stdin' : file
  readLegacyPage(readPageHistory(source, name)?.record ?? source, { file: name }) // before a database is asked for
  return withSite(call, async site => {
    const read = await readWithAuthors(site, source, name)
    return loadInto(call, site, { ...read, name })
  })
}

async function readSource(call: Call, file: string): Promise<Buffer> {
  const path = resolve(call.terminal.cwd, file)
  return readFile(path).catch(cause => {
    throw new Rm3Error('SOURCE_NOT_FOUND', `${file} cannot be read: ${String(cause.code)}`, {
      file,
      cause,
    })
  })
}

interface Read {
  readonly page: LegacyPage
  readonly history: readonly ImportedEvent[] | null
}

/** The page with the authors that this site knows: the first reading tells who they are, the second is given their ids. */
async function readWithAuthors(site: Site, source: Buffer, file: string): Promise<Read> {
  const own = readPageHistory(source, file)
  const asked = new Set<string>()
  const ask = (path: string) => {
    asked.add(path)
    return null
  }
  readLegacyPage(own?.record ?? source, { file, actorOf: ask })
  const ids = new Map<string, string>()
  for (const path of asked) {
    const account = await findAccountAtPath(site.db, path)
    if (account !== null) ids.set(path, account.id)
  }
  const actorOf = (path: string) => ids.get(path) ?? null
  const page = readLegacyPage(own?.record ?? source, { file, actorOf })
  const history = own?.events ?? page.history?.flatMap(append => append.events) ?? null
  return { page, history }
}

async function loadInto(call: Call, site: Site, read: Read & { name: string }): Promise<Outcome> {
  const { page, name } = read
  const path = parsePath(call.option('path') ?? page.path)
  const ofPage = (read.history ?? []).filter(event => event.type.startsWith('Page'))
  const leftOut = (read.history?.length ?? 0) - ofPage.length
  const { number, created, modified } = page
  const what: ImportedPage = {
    ...{ from: page.path, path, entityId: page.entityId, document: page.document },
    imported: {
      ...(number !== null && { number }),
      ...(created !== null && { created }),
      ...(modified !== null && { modified }),
    },
    history: call.flag('nohistory') || ofPage.length === 0 ? null : ofPage,
  }
  const importId = site.newId()
  const note = `loaded from ${name.slice(-200)}`
  const author = { ...AS_ROOT, door: 'import', note, meta: { importId } } as const
  const dryRun = call.flag('dry-run')
  const trial = new Change(site, author)
  const entity = dryRun
    ? await importPage(trial, what)
    : (await change(site, author, it => importPage(it, what))).result
  const data = {
    ...{
      loaded: !dryRun,
      dryRun,
      importId: dryRun ? null : importId,
      path,
      entityId: entity.id,
      revisionId: entity.sinceId,
    },
    ...{ revisions: entity.revision, leftOut, warnings: page.warnings },
  }
  const text = [
    `${dryRun ? 'Could be loaded' : 'Loaded'}: ${path}, ${entity.revision === 1 ? 'one revision' : `${entity.revision} revisions`}, entity ${entity.id}`,
    ...(leftOut > 0
      ? [
          `  left out: ${leftOut} events about roles, credentials and files, which a page alone cannot carry`,
        ]
      : []),
    ...importLines(dryRun ? null : importId),
    ...page.warnings.map(({ place, message }) => `  ${place === '' ? name : place}: ${message}`),
  ].join('\n')
  return { text, data: data as unknown as Json }
}
