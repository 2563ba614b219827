import { createInterface } from 'node:readline/promises'
import { Rm3Error } from '../errors.ts'
import type { Call } from './command.ts'

const BYTES_MAX = 64 * 1024 * 1024

/** All of stdin, as bytes. @throws SOURCE_DAMAGED when it is larger than 64 MB; the reason of the call's signal */
export async function readStdin({ terminal, signal }: Call): Promise<Buffer> {
  const { stdin } = terminal
  const stop = () => void stdin.destroy()
  signal.addEventListener('abort', stop)
  const chunks: Buffer[] = []
  let sizeBytes = 0
  try {
    for await (const chunk of stdin) {
      chunks.push(Buffer.from(chunk))
      sizeBytes += chunk.length
      if (sizeBytes > BYTES_MAX) {
        throw new Rm3Error('SOURCE_DAMAGED', `stdin has more than ${BYTES_MAX} bytes`)
      }
    }
  } finally {
    signal.removeEventListener('abort', stop)
    signal.throwIfAborted()
  }
  return Buffer.concat(chunks)
}

/** Asks a question that is answered with y or n on a terminal. @returns false without a terminal to ask on */
export async function confirm({ terminal, signal }: Call, question: string): Promise<boolean> {
  const { stdin, stderr } = terminal
  if (!stdin.isTTY || !stderr.isTTY) return false
  const lines = createInterface({ input: stdin, output: stderr })
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
