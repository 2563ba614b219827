/**
 * Does one thing with an archive in a process of its own, so that its memory is its own too: `archive-process.js '<Job as JSON>'` prints a
 * Done as JSON.
 */
import { execFile } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { writeWhole } from '../../src/backup/archive/file.ts'
import { archiveParts } from '../../src/backup/archive/load.ts'
import { verifyArchive } from '../../src/backup/archive/verify.ts'
import { writeArchive } from '../../src/backup/archive/write.ts'
import { restoreSite } from '../../src/backup/restore.ts'
import { type BlobStores, openBlobStore } from '../../src/blobs/store.ts'
import { discoverProjections } from '../../src/projector/discover.ts'

export interface Job {
  readonly work: 'backup' | 'verify' | 'load'
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
  const database = { url, site }
  const blobs = await stores()
  const steps: string[] = []
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  const reached = (point: string) => void steps.push(`${point} ${seconds().toFixed(2)} s`)
  if (work === 'backup') {
    await writeWhole(file, out =>
      writeArchive({ database, blobs }, { out, program: 'bench', reached }),
    )
  } else if (work === 'verify') {
    await verifyArchive(createReadStream(file, { highWaterMark: 256 * 1024 }), NO_KEYS)
  } else {
    const projections = await discoverProjections()
    const source = {
      name: file,
      open: async () => ({ bytes: createReadStream(file), close: async () => {} }),
    }
    const parts = archiveParts([source], [], { keys: NO_KEYS, stores: blobs })
    await restoreSite(database, parts, { projections, reached })
  }
  return { seconds: seconds(), peakBytes: process.resourceUsage().maxRSS * 1024, steps }
}

async function stores(): Promise<BlobStores> {
  const folder = await mkdtemp(join(tmpdir(), 'rm3-bench-blobs-'))
  return {
    public: await openBlobStore(join(folder, 'public')),
    private: await openBlobStore(join(folder, 'private')),
  }
}

const [argument] = process.argv.slice(2)
if (process.argv[1] === import.meta.filename && argument !== undefined) {
  console.log(JSON.stringify(await run(JSON.parse(argument) as Job)))
}
