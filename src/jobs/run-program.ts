import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Json } from '../codec/json.ts'
import { PACKAGE_ROOT } from '../package-root.ts'
import { tiedCommand } from '../pg/managed/tie.ts'
import type { SitePlace } from './messages.ts'

/** Characters of what it says that are kept. */
const SAID_MAX = 4_000
const PRINTED_MAX = 10_000_000

/** A program of rm3 did not succeed: the message says why, and where we are says nothing. */
export class ProgramFailed extends Error {}

/**
 * Runs a program of rm3 for a site, with the settings of this process otherwise, in a process of its own. That one is told to stop with
 * `signal`, and when the thread that started it is gone.
 *
 * @returns what it prints as JSON
 * @throws ProgramFailed with what it says when it ends with anything but 0
 */
export async function runProgram(
  place: SitePlace,
  [name = '', ...args]: readonly string[],
  signal: AbortSignal,
): Promise<Json> {
  const file = join(PACKAGE_ROOT, 'dist/src/cli', `${name}.js`)
  const command = tiedCommand('INT', process.execPath, [file, ...args, '--json'])
  const child = spawn(command.program, command.arguments, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...settingsOf(place) },
  })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  let [printed, said] = ['', '']
  child.stdout.setEncoding('utf8').on('data', text => {
    if (printed.length < PRINTED_MAX) printed += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    said = (said + text).slice(-SAID_MAX)
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  }).finally(() => signal.removeEventListener('abort', stop))
  signal.throwIfAborted()
  if (code === 0) return JSON.parse(printed) as Json
  throw new ProgramFailed(`${name} ended with ${code ?? 'a signal'}: ${said.trim()}`)
}

function settingsOf(place: SitePlace): Record<string, string> {
  return {
    RM3_PG: place.url,
    RM3_SITE: place.site,
    RM3_LOCAL_BLOBS: place.publicBlobsFolder,
    RM3_PRIVATE_BLOBS: place.privateBlobsFolder,
  }
}
