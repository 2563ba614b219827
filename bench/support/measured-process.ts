/**
 * Does one thing with a whole site or its archive in a process of its own, so that its memory is its own too: `measured-process.js '<Job as JSON>'`
 * prints a Done as JSON.
 */
import { execFile } from 'node:child_process'
import { createReadStream, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { writeWhole } from '../../src/backup/archive/file.ts'
import { archiveParts } from '../../src/backup/archive/load.ts'
import { verifyArchive } from '../../src/backup/archive/verify.ts'
import { writeArchive } from '../../src/backup/archive/write.ts'
import { restoreSite } from '../../src/backup/restore.ts'
import { type BlobStores, openBlobStore } from '../../src/blobs/store.ts'
import type { SiteDatabase } from '../../src/pg/bulk.ts'
import { discoverProjections } from '../../src/projector/discover.ts'
import { rebuildProjections } from '../../src/projector/rebuild.ts'
import { usualThreads } from '../../src/projector/threads.ts'
import { verifyProjections } from '../../src/projector/verify.ts'

export interface Job {
  /** `rebuild` and `check` are of all projections and use no file. */
  readonly work: 'rebuild' | 'check' | 'backup' | 'verify' | 'load'
  readonly url: string
  readonly site: string
  readonly file: string
}

export interface Done {
  readonly seconds: number
  /** Peak of what the process had in memory. */
  readonly peakBytes: number
  /** When which place was reached, for those who look where the time goes. */
  readonly steps: readonly string[]
}

const NO_KEYS = { identities: [], passphrase: null }

/** Does a job in a process of its own. */
export async function inProcess(job: Job): Promise<Done> {
  const args = [import.meta.filename, JSON.stringify(job)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Done
}

async function run({ work, url, site, file }: Job): Promise<Done> {
  const steps: string[] = []
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  const reached = (point: string) => void steps.push(`${point} ${seconds().toFixed(2)} s`)
  await WORKS[work]({ url, site }, file, reached)
  return { seconds: seconds(), peakBytes: peakBytes(), steps }
}

type Work = (
  database: SiteDatabase,
  file: string,
  reached: (point: string) => void,
) => Promise<unknown>

const WORKS: Readonly<Record<Job['work'], Work>> = {
  rebuild: async (database, _, reached) => {
    const projections = await discoverProjections()
    const options = { projections, all: projections, threads: usualThreads() }
    await rebuildProjections(database, { ...options, reached })
  },
  check: async database => {
    const projections = await discoverProjections()
    const { findings } = await verifyProjections(database, { projections, threads: usualThreads() })
    if (findings.length > 0) throw new Error(`found: ${JSON.stringify(findings[0])}`)
  },
  backup: (database, file, reached) =>
    withStores(async blobs => {
      await writeWhole(file, out =>
        writeArchive({ database, blobs }, { out, program: 'bench', reached }),
      )
    }),
  verify: (_, file) =>
    verifyArchive(createReadStream(file, { highWaterMark: 256 * 1024 }), NO_KEYS),
  load: (database, file, reached) =>
    withStores(async stores => {
      const projections = await discoverProjections()
      const source = {
        name: file,
        open: async () => ({ bytes: createReadStream(file), close: async () => {} }),
      }
      const parts = archiveParts([source], [], { keys: NO_KEYS, stores })
      await restoreSite(database, parts, { projections, reached })
    }),
}

/**
 * The most that this process had in memory. What the operating system says of a process that ended counts what the one had that started it,
 * so Linux is asked for the high-water mark of this one's own memory.
 */
function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

async function withStores(work: (stores: BlobStores) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rm3-bench-blobs-'))
  try {
    await work({
      public: await openBlobStore(join(folder, 'public')),
      private: await openBlobStore(join(folder, 'private')),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const [argument] = process.argv.slice(2)
if (process.argv[1] === import.meta.filename && argument !== undefined) {
  console.log(JSON.stringify(await run(JSON.parse(argument) as Job)))
}
