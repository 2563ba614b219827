import type { Finding } from '../backup/folder/rules.ts'
import { type FolderProof, verifyFolder } from '../backup/folder/verify.ts'
import type { Json } from '../codec/json.ts'
import { type ErrorCode, Rm3Error } from '../errors.ts'
import type { Call, Outcome } from './command.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { Steps } from './steps.ts'

const FINDINGS_SHOWN = 50

/** Proves a backup in a folder and tells of everything that is wrong. Needs no database. @throws SOURCE_NOT_FOUND */
export async function verifyBackupFolder(call: Call, dir: string): Promise<Outcome> {
  const started = Date.now()
  const proof = await proveFolder(call, dir)
  const { head, findings, findingCount, ...counted } = proof
  const ok = findingCount === 0
  const data = { ok, dir, ...head, ...counted, findings, findingCount, ms: Date.now() - started }
  return {
    text: ok ? wholeText(dir, proof) : faultText(dir, proof),
    data: data as unknown as Json,
    ...(!ok && { exitCode: EXIT_CODES[codeOf(findings)] }),
  }
}

/** As `verifyBackupFolder`, for those who go on with a backup that is whole. @throws BACKUP_DAMAGED, BACKUP_INCOMPLETE, BACKUP_NEWER */
export async function demandWhole(call: Call, dir: string): Promise<FolderProof> {
  const proof = await proveFolder(call, dir)
  const { findings, findingCount } = proof
  if (findingCount === 0) return proof
  throw new Rm3Error(codeOf(findings), faultText(dir, proof), { findings, findingCount })
}

async function proveFolder(call: Call, dir: string): Promise<FolderProof> {
  const steps = new Steps(call)
  try {
    return await verifyFolder(dir, {
      signal: call.signal,
      onProgress: (done, total) => steps.update('verifying', done, total),
    })
  } finally {
    steps.end()
  }
}

/** Of several things that are wrong the one that says most. */
function codeOf(findings: readonly Finding[]): ErrorCode {
  const has = (...rules: readonly Finding['rule'][]) => findings.some(it => rules.includes(it.rule))
  if (has('format-newer', 'format-unknown', 'event-unknown')) return 'BACKUP_NEWER'
  const isMissing = ({ rule }: Finding) => rule === 'file-missing' || rule === 'blob-missing'
  return findings.every(isMissing) ? 'BACKUP_INCOMPLETE' : 'BACKUP_DAMAGED'
}

function wholeText(dir: string, { head, counts, files, bytes, missingBlobs }: FolderProof): string {
  return [
    `${dir} is whole: ${files} files of ${bytes} bytes.`,
    `  ${counts?.entities} entities, ${counts?.events} events, ${counts?.blobs} blobs; every hash, every record against its history, every reference`,
    `  position ${head?.position}, chain ${head?.chain}`,
    ...(missingBlobs.length > 0
      ? [`  It was made without ${missingBlobs.length} blobs, whose bytes were not there then.`]
      : []),
  ].join('\n')
}

function faultText(dir: string, { findings, findingCount }: FolderProof): string {
  const shown = findings.slice(0, FINDINGS_SHOWN)
  const more = findingCount - shown.length
  return [
    `${dir} is not whole:`,
    ...shown.map(({ rule, file, place, message }) => {
      return `  ${rule} ${printable(file)}${place === '' ? '' : ` (${printable(place)})`}: ${printable(message)}`
    }),
    ...(more > 0 ? [`  and ${more} more (--json tells up to 1000)`] : []),
  ].join('\n')
}

/** Names come from whoever made the folder: nothing in them may move a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd').slice(0, 400)
}
