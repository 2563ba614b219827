import { codeOf, faultText } from '../backup/folder/tell.ts'
import { checkSizes, type FolderProof, type Subset, verifyFolder } from '../backup/folder/verify.ts'
import type { Json } from '../codec/json.ts'
import { Rm3Error } from '../errors.ts'
import { counted, sizeInWords } from '../scheme/words.ts'
import { aheadLines } from './ahead-lines.ts'
import type { Call, Option, Outcome } from './command.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { withSteps } from './steps.ts'

/** Options of a proof that does not read everything. */
export const EXTENT_OPTIONS: Readonly<Record<string, Option>> = {
  quick: { summary: 'of a folder: only the catalog is read, and the sizes of files are compared' },
  subset: {
    value: 'N/T',
    summary: 'of a folder: of the files of pages only part N of T is read; all histories are',
  },
}

/** Proves a backup in a folder and tells of everything that is wrong. Needs no database. @throws SOURCE_NOT_FOUND, USAGE */
export async function verifyBackupFolder(call: Call, dir: string): Promise<Outcome> {
  const started = Date.now()
  const quick = call.flag('quick')
  const subset = subsetOf(call)
  if (quick && subset) throw new Rm3Error('USAGE', '--quick reads no part: leave out --subset')
  const proof = await withSteps(call, onProgress =>
    (quick ? checkSizes : verifyFolder)(dir, {
      ...{ subset, signal: call.signal },
      onProgress: (done, total) => onProgress('verifying', done, total),
    }),
  )
  const { head, findings, findingCount, blobs: _, ...counted } = proof
  const ok = findingCount === 0
  const extent = quick ? 'sizes' : (call.option('subset') ?? 'all')
  const ms = Date.now() - started
  const data = { ok, extent, dir, ...head, ...counted, findings, findingCount, ms }
  return {
    text: ok ? wholeText(dir, proof, EXTENTS[extent] ?? subsetText(extent)) : faultText(dir, proof),
    data: data as unknown as Json,
    ...(!ok && { exitCode: EXIT_CODES[codeOf(findings)] }),
  }
}

const PARTS_MAX = 1_000

function subsetOf(call: Call): Subset | undefined {
  const text = call.option('subset')
  if (text === null) return undefined
  const [, part = 0, of = 0] = (/^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []).map(Number)
  if (part >= 1 && part <= of && of <= PARTS_MAX) return { part, of }
  throw new Rm3Error('USAGE', `--subset takes a part of so many, as 2/7, not "${text}"`)
}

const EXTENTS: Readonly<Record<string, string>> = {
  sizes: 'all files are there and as long as they were; the catalog alone was read',
  all: 'every hash, every record against its history, every reference',
}

function subsetText(extent: string): string {
  return `every hash but of the blobs outside of part ${extent}, every record against its history, every reference`
}

function wholeText(
  dir: string,
  { head, counts, files, bytes, missingBlobs }: FolderProof,
  what: string,
): string {
  return [
    `${dir} is whole${what === EXTENTS['all'] ? '' : ', as far as it was looked at'}: ${counted(files, 'file')} with ${sizeInWords(bytes)}.`,
    `  ${counted(counts?.entities ?? 0, 'entity', 'entities')}, ${counted(counts?.events ?? 0, 'event')}, ${counted(counts?.blobs ?? 0, 'blob')}; ${what}`,
    `  position ${head?.position}, chain ${head?.chain}`,
    ...aheadLines(head?.recordedAt ?? null, Date.now()),
    ...(missingBlobs.length > 0
      ? [
          `  It was made without ${counted(missingBlobs.length, 'blob')}, for the bytes were not there then.`,
        ]
      : []),
  ].join('\n')
}
