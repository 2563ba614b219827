import { opendir, stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { canonicalJson, type Json } from '../../codec/json.ts'
import { Rm3Error } from '../../errors.ts'
import { CompactSet } from './compact-set.ts'
import { CATALOG, type CatalogHead, type Counts, type FileEntry, isFileName } from './format.ts'
import { POSITION_MAX, PositionIndex } from './position-index.ts'
import { type Catalog, listFiles, readCatalog } from './read-catalog.ts'
import { FileFault, type Finding, Findings } from './rules.ts'
import type { BlobUse } from './tally.ts'
import { type Gathered, newGathered, verifyFile, verifySize } from './verify-file.ts'

/** What a backup turned out to be. It is whole when nothing was found. */
export interface FolderProof {
  /** null when the catalog itself cannot be used. */
  readonly head: CatalogHead | null
  readonly counts: Counts | null
  readonly files: number
  readonly bytes: number
  /** Blobs that the backup says were not there when it was made. */
  readonly missingBlobs: readonly string[]
  /** The blobs that events refer to, by hash, and the stores that they belong in. */
  readonly blobs: ReadonlyMap<string, BlobUse>
  /** By file; at most 1000 of `findingCount`. */
  readonly findings: readonly Finding[]
  readonly findingCount: number
}

/** Of blobs the ones whose place in the catalog is `part`, `part + of`, `part + 2 * of` …, from 1. */
export interface Subset {
  readonly part: number
  readonly of: number
}

export interface VerifyOptions {
  /** Of the other blobs only the size is looked at. */
  readonly subset?: Subset | undefined
  readonly signal?: AbortSignal
  /** Told bytes. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Others get their turn after so long. */
const TURN_MS = 20
/** An event takes more bytes than these; whoever names a position that its files cannot hold is not believed. */
const EVENT_BYTES_MIN = 250

/**
 * Reads all of a backup and proves it, without a database: every file against the catalog, every event against its hash, the events as the
 * whole log that they were, each record against the fold of its history, what refers to a blob against the blobs. Nothing that the
 * backup says is trusted on the way, and memory is bounded but for some bytes for each event and file.
 *
 * @throws SOURCE_NOT_FOUND when there is no such folder, the reason of `signal`
 */
export async function verifyFolder(dir: string, options: VerifyOptions = {}): Promise<FolderProof> {
  return underCatalog(dir, options, proveFiles)
}

/**
 * Looks whether all files of a backup are there and as long as they were, without reading one but the catalog, which proves itself: what a
 * copy that was broken off lacks is found, what a disk has spoilt is not.
 *
 * @throws as `verifyFolder`
 */
export async function checkSizes(dir: string, options: VerifyOptions = {}): Promise<FolderProof> {
  return underCatalog(dir, options, async work => {
    const gathered = newGathered(work.catalog.head, null)
    await eachFile(work, gathered, verifySize)
    return new Map()
  })
}

async function underCatalog(
  dir: string,
  options: VerifyOptions,
  prove: (work: Work) => Promise<FolderProof['blobs']>,
): Promise<FolderProof> {
  const found = await stat(dir).catch(() => null)
  if (!found?.isDirectory()) {
    throw new Rm3Error('SOURCE_NOT_FOUND', `there is no folder ${dir}`, { dir })
  }
  const findings = new Findings()
  const catalog = attempt(findings, CATALOG, () => readCatalog(dir))
  if (catalog === null) return proofOf(null, 0, findings, new Map())
  const work: Work = { dir, catalog, findings, options, total: 0, there: new CompactSet() }
  try {
    await checkListing(work)
    const blobs = await prove(work)
    return proofOf(catalog, work.total, findings, blobs)
  } catch (thrown) {
    // the catalog is read again, line by line
    if (!(thrown instanceof FileFault)) throw thrown
    findings.add(thrown.rule, CATALOG, thrown.message, thrown.place)
    return proofOf(catalog, work.total, findings, new Map())
  }
}

interface Work {
  readonly dir: string
  readonly catalog: Catalog
  readonly findings: Findings
  readonly options: VerifyOptions
  /** Bytes that the catalog speaks of. */
  total: number
  /** Names of what is in the folder and listed. */
  readonly there: CompactSet
}

/** @returns the blobs that events refer to */
async function proveFiles(work: Work): Promise<FolderProof['blobs']> {
  const { catalog, findings, options, total } = work
  const { head } = catalog
  const isWhole = head.contents === 'history' && head.path === null
  if (isWhole && (head.position * EVENT_BYTES_MIN > total || head.position > POSITION_MAX)) {
    findings.add('position-missing', CATALOG, `the files cannot hold ${head.position} events`)
    return new Map()
  }
  const gathered = newGathered(head, isWhole ? new PositionIndex(head.position) : null)
  const isRead = readsOf(options.subset)
  await eachFile(work, gathered, (...file) => (isRead(file[1]) ? verifyFile : verifySize)(...file))
  if (findings.count === 0) checkWhole(catalog, gathered, findings)
  return gathered.tally.blobs
}

/** Which files are read: of blobs it may be every so many. */
function readsOf(subset: Subset | undefined): (entry: FileEntry) => boolean {
  if (subset === undefined) return () => true
  let blobs = 0
  return ({ kind }) => kind !== 'blob' || (blobs++ % subset.of) + 1 === subset.part
}

function proofOf(
  catalog: Catalog | null,
  bytes: number,
  findings: Findings,
  blobs: FolderProof['blobs'],
): FolderProof {
  return {
    blobs,
    head: catalog?.head ?? null,
    counts: catalog?.tail.counts ?? null,
    files: catalog?.files ?? 0,
    bytes,
    missingBlobs: catalog?.tail.missingBlobs ?? [],
    findings: findings.list,
    findingCount: findings.count,
  }
}

/** @returns null when a fault was found, which is noted */
function attempt<Result>(findings: Findings, file: string, work: () => Result): Result | null {
  try {
    return work()
  } catch (thrown) {
    if (!(thrown instanceof FileFault)) throw thrown
    findings.add(thrown.rule, file, thrown.message, thrown.place)
    return null
  }
}

/** Names: those that the catalog lists, then those that are there. */
async function checkListing(work: Work): Promise<void> {
  const { dir, findings, there } = work
  const names = new CompactSet()
  names.add(CATALOG)
  for (const { name, kind, sizeBytes } of listFiles(dir)) {
    work.total += sizeBytes
    if (!isFileName(kind, name)) {
      findings.add('file-name', CATALOG, `${name.slice(0, 300)} is no name of a file`)
    } else if (!names.add(name)) {
      findings.add('file-listed-twice', CATALOG, `${name} is listed twice`)
    }
  }
  for await (const { name } of await opendir(dir, { bufferSize: 1_000 })) {
    if (names.has(name)) there.add(name)
    else findings.add('file-extra', name, 'the catalog does not list it')
  }
}

/** Looks at each file that is listed, letting others have their turn. */
async function eachFile(work: Work, gathered: Gathered, look: typeof verifyFile): Promise<void> {
  const { dir, findings, options, total, there } = work
  let done = 0
  let turn = Date.now()
  for (const entry of listFiles(dir)) {
    options.signal?.throwIfAborted()
    // a name that is none was told already
    if (isFileName(entry.kind, entry.name)) {
      const seen = attempt(findings, entry.name, () => {
        if (!there.has(entry.name)) throw new FileFault('file-missing', 'it is not there')
        look(dir, entry, gathered)
      })
      if (seen === null && entry.kind !== 'blob') gathered.isLacking = true
    }
    done += entry.sizeBytes
    if (Date.now() - turn < TURN_MS) continue
    options.onProgress?.(done, total)
    await setImmediate()
    turn = Date.now()
  }
}

/** What only all files together can tell. */
function checkWhole({ head, tail }: Catalog, gathered: Gathered, findings: Findings): void {
  const { index, tally, secrets } = gathered
  const fault = index?.fault(head.chain) ?? null
  if (fault !== null) {
    findings.add(fault.rule, CATALOG, `at position ${fault.position}`, `position ${fault.position}`)
  } else if (head.recordedAt !== null && index?.recordedAt(head.position) !== head.recordedAt) {
    const text = `the last event was recorded at another time than ${head.recordedAt}`
    if (index !== null) findings.add('chain-end', CATALOG, text, '/recordedAt')
  }
  for (const { credential, file, line } of secrets) {
    if (head.contents === 'snapshot' || tally.credentials.has(credential)) continue
    const text = `the credential ${credential} is not in force`
    findings.add('credential-unknown', file, text, `line ${line}`)
  }
  checkBlobs(new Set(tail.missingBlobs), gathered, findings)
  if (head.contents === 'history') {
    const counts = { ...tally.counts, credentials: secrets.length }
    demandSame(counts, tail.counts, 'counts', findings)
    demandSame(tally.scheduled, tail.scheduled, 'scheduled', findings)
    const odd = tail.erasures.find(({ eventId }) => !gathered.ids.has(eventId))
    if (odd)
      findings.add('count-differs', CATALOG, `no event ${odd.eventId} erased anything`, '/erasures')
  }
}

function checkBlobs(missing: ReadonlySet<string>, { tally, blobs }: Gathered, findings: Findings) {
  for (const sha256 of tally.blobs.keys()) {
    if (blobs.has(sha256) || missing.has(sha256)) continue
    findings.add('blob-missing', CATALOG, `it has no blob ${sha256}, which an event refers to`)
  }
  const lacking = [...missing].filter(sha256 => tally.blobs.has(sha256) && !blobs.has(sha256))
  if (lacking.length < missing.size) {
    const text = 'of the blobs that are missing one is there, or not referred to'
    findings.add('count-differs', CATALOG, text, '/missingBlobs')
  }
  const needed = tally.blobs.size - lacking.length
  if (blobs.size > needed) {
    findings.add(
      'blob-unused',
      CATALOG,
      `it has ${blobs.size} blobs, of which ${needed} are needed`,
    )
  }
}

function demandSame(computed: object, told: object, member: string, findings: Findings): void {
  if (canonicalJson(computed as Json) === canonicalJson(told as Json)) return
  findings.add('count-differs', CATALOG, `${member} is not what the files come to`, `/${member}`)
}
