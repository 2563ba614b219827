import { Rm3Error } from '../../errors.ts'

/** What is not as it was encrypted. */
export function damaged(text: string, details: Record<string, unknown> = {}): Rm3Error {
  return new Rm3Error('BACKUP_DAMAGED', `the encrypted archive is damaged: ${text}`, details)
}
