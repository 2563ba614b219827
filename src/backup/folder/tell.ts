import { type ErrorCode, Rm3Error } from '../../errors.ts'
import type { Finding } from './rules.ts'
import { type FolderProof, type VerifyOptions, verifyFolder } from './verify.ts'

const FINDINGS_SHOWN = 50

/** A proof of a backup that is whole, for those who go on with it. @throws BACKUP_DAMAGED, BACKUP_INCOMPLETE, BACKUP_NEWER, SOURCE_NOT_FOUND */
export async function demandWhole(dir: string, options?: VerifyOptions): Promise<FolderProof> {
  const proof = await verifyFolder(dir, options)
  if (proof.findingCount === 0) return proof
  const { findings, findingCount } = proof
  throw new Rm3Error(codeOf(findings), faultText(dir, proof), { findings, findingCount })
}

/** Of several things that are wrong the one that says most. */
export function codeOf(findings: readonly Finding[]): ErrorCode {
  const has = (...rules: readonly Finding['rule'][]) => findings.some(it => rules.includes(it.rule))
  if (has('format-newer', 'format-unknown', 'event-unknown')) return 'BACKUP_NEWER'
  const isMissing = ({ rule }: Finding) => rule === 'file-missing' || rule === 'blob-missing'
  return findings.every(isMissing) ? 'BACKUP_INCOMPLETE' : 'BACKUP_DAMAGED'
}

/** What is wrong, for people. */
export function faultText(dir: string, { findings, findingCount }: FolderProof): string {
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
