import { codeOf, faultText } from '../backup/folder/tell.ts'
import { type FolderProof, verifyFolder } from '../backup/folder/verify.ts'
import type { Json } from '../codec/json.ts'
import type { Call, Outcome } from './command.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { withSteps } from './steps.ts'

/** Proves a backup in a folder and tells of everything that is wrong. Needs no database. @throws SOURCE_NOT_FOUND */
export async function verifyBackupFolder(call: Call, dir: string): Promise<Outcome> {
  const started = Date.now()
  const proof = await withSteps(call, onProgress =>
    verifyFolder(dir, {
      signal: call.signal,
      onProgress: (done, total) => onProgress('verifying', done, total),
    }),
  )
  const { head, findings, findingCount, blobs: _, ...counted } = proof
  const ok = findingCount === 0
  const data = { ok, dir, ...head, ...counted, findings, findingCount, ms: Date.now() - started }
  return {
    text: ok ? wholeText(dir, proof) : faultText(dir, proof),
    data: data as unknown as Json,
    ...(!ok && { exitCode: EXIT_CODES[codeOf(findings)] }),
  }
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
