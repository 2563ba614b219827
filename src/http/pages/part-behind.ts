import { isRm3Error } from '../../errors.ts'

/**
 * The part of a list behind a cursor, and whether it is the first one. Behind the cursor of another list it is: links outlive the list that
 * they were made for.
 *
 * @param after null for the first part
 */
export async function partBehind<Part extends object>(
  after: string | null,
  read: (after: string | null) => Promise<Part>,
): Promise<Part & { readonly isFirst: boolean }> {
  try {
    return { ...(await read(after)), isFirst: after === null }
  } catch (thrown) {
    if (after === null || !isRm3Error(thrown, 'CURSOR_INVALID')) throw thrown
    return { ...(await read(null)), isFirst: true }
  }
}
