import type { Rm3Error } from '../../src/errors.ts'
import { rejection } from '../harness.ts'

/** The error that `work` is refused with; a test looks at its code and message. */
export async function refused(work: Promise<unknown>): Promise<Rm3Error> {
  return (await rejection(work)) as Rm3Error
}
