import { availableParallelism } from 'node:os'
import { Rm3Error } from '../errors.ts'

/** Hashes at a time: one core is left to everything else, two of the four threads that files and DNS share. */
const RUNNING_MAX = Math.max(1, Math.min(2, availableParallelism() - 1))
/** Hashes that may wait; a flood of logins is turned away and not piled up. */
const WAITING_MAX = 4

const waiting: (() => void)[] = []
let running = 0

/**
 * Runs `hash` when its turn comes, so that hashing passwords cannot take all of the machine.
 *
 * @throws RATE_LIMITED when four are waiting already
 */
export async function inTurn<T>(hash: () => Promise<T>): Promise<T> {
  if (running >= RUNNING_MAX) {
    if (waiting.length >= WAITING_MAX) {
      throw new Rm3Error('RATE_LIMITED', 'Too many log in just now; try again in some seconds.', {
        retryAfterSeconds: 2,
      })
    }
    // the one that ends hands its place over, so `running` stays as it is
    await new Promise<void>(resolve => waiting.push(resolve))
  } else {
    running++
  }
  try {
    return await hash()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}
