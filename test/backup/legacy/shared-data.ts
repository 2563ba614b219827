import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { skipSuite } from '../../harness.ts'

/** The folder of real input: `RM3_TEST_DATA`, or `../shared/data`; null, with a line saying so, when there is none. */
export function sharedData(suite: string): string | null {
  const dir = process.env['RM3_TEST_DATA'] ?? '../shared/data'
  if (existsSync(join(dir, 'rm3-backups'))) return dir
  skipSuite(suite, `there is no ${dir}`)
  return null
}

/** One revision as `rm3-expected.json` has it; absent values are the text '(absent)'. */
export interface ExpectedRow {
  evtClass: string
  evtFinal: boolean
  entityId: string | null
  revisionId: string
  revisionNum: number
  baseRevisionId: string | null
  actorPath: string
  note: string
  evtStart: string
  evtEnd: string
  evtTouched: string
  toDataContentSha256?: string
  toDataCreated?: string
  toDataModified?: string
}

/** One page as `rm3-expected.json` has it. */
export interface ExpectedPage {
  path: string
  proto: string
  entityId: string
  headRevisionId: string
  headRevisionNum: number
  hiddenExpected: boolean
  title: string
  contentSha256: string
  tags: { subjPath: string; predPath: string; objClass: string; objStr: string }[]
  expectedCreated: string
  expectedModified: string
  expectedTouched: string
  revisionCount: number
  history: ExpectedRow[]
}

export interface ExpectedBackup {
  catalogDumpVersion: string
  catalogDumpDate: string
  totals: Record<string, number> & { eventsByActor: Record<string, number> }
  permissionGrants: [string, string, string][]
  credentials: { provider: string; userId: string; userPath: string; iterations: number }[]
  entities: ExpectedPage[]
  blobs: {
    file: string
    entityPath: string
    blobPath: string
    revisionId: string
    category: string
    bytes: number
    sha256: string
  }[]
  conformance: { rolesOfUser: Record<string, string[]> }
}

export interface Expected {
  upgradeFixtures: Record<string, ExpectedBackup>
  singleFileDumps: Record<string, ExpectedPage>
  templates: Record<
    string,
    {
      items: number
      entitiesCreatedWithRootWh: { path: string; proto: string; title: string }[]
      permissionGrants: [string, string, string][]
      roleAssignments: [string, string][]
      tagRows: [string, string, string][]
      predicateUris: Record<string, string>
    }
  >
}

/** What loading the real input must yield. */
export function expectedOf(dir: string): Expected {
  return JSON.parse(readFileSync(join(dir, 'rm3-expected.json'), 'utf8')) as Expected
}
