/** Runs one test file in a process group of its own, which ends with it, at its time-out or with us. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { tiedCommand } from '../../dist/src/pg/managed/tie.js'
import { packageRoot } from './package-root.mjs'

/** A longer run of generated cases takes more: `RM3_TEST_MINUTES`. */
const TIMEOUT_MS = Number(process.env.RM3_TEST_MINUTES ?? 4) * 60_000
const OUTPUT_CHARACTERS_MAX = 200_000
const running = new Set()

/** @returns counts, `skips` (their lines), `ms`, `output`, and `trouble` where the file failed as a whole */
export async function runFile(file, env) {
  if (env.CI && hasOnly(file)) {
    return failure(`leaves tests out by .only`)
  }
  const path = fileURLToPath(new URL(`dist/test/${file}`, packageRoot))
  const tied = tiedCommand('KILL', process.execPath, ['--enable-source-maps', path])
  const began = performance.now()
  const child = spawn(tied.program, tied.arguments, {
    cwd: fileURLToPath(packageRoot),
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  const keep = text => {
    output = (output + text).slice(-OUTPUT_CHARACTERS_MAX)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    killGroup(child)
  }, TIMEOUT_MS)
  const ending = await new Promise(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) => resolve(code ?? signal))
  })
  clearTimeout(timer)
  killGroup(child)
  await closed(child)
  running.delete(child)
  const trouble = isLate ? `not done in ${TIMEOUT_MS / 1000} s; is something left open?` : null
  return { ...judge(output, ending, trouble), ms: Math.round(performance.now() - began), output }
}

/** Kills all that run. */
export function stopFiles() {
  for (const child of running) killGroup(child)
}

/** What the harness says, doubted: no success without a count, a clean exit and at least one test. */
function judge(output, ending, late) {
  const counts = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1)
  const passed = Number(counts?.[1] ?? 0)
  const failed = Number(counts?.[2] ?? 0)
  const skips = output.match(/^skipped: .*$/gm) ?? []
  const trouble = late ?? wholeTrouble(counts, passed + failed + skips.length, ending)
  return { passed, failed: trouble && failed === 0 ? 1 : failed, skips, trouble }
}

function wholeTrouble(counts, total, ending) {
  if (counts === undefined) return `ended (${ending}) without saying how many passed`
  if (total === 0) return 'tests nothing'
  if (ending !== 0 && Number(counts[2]) === 0) return `ended with ${ending}`
  return null
}

function failure(trouble) {
  return { passed: 0, failed: 1, skips: [], ms: 0, output: '', trouble }
}

function hasOnly(file) {
  const source = new URL(`test/${file.replace(/\.js$/, '.ts')}`, packageRoot)
  return /\b(suite|test)\.only\b/.test(readFileSync(source, 'utf8'))
}

/** Also what the file has started and left. */
function killGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // nothing is left of it
  }
}

/** Waits for the last output, but not for one that a process outside the group holds open. */
async function closed(child) {
  await Promise.race([
    Promise.all([child.stdout, child.stderr].map(stream => ended(stream))),
    new Promise(resolve => setTimeout(resolve, 1_000).unref()),
  ])
}

function ended(stream) {
  return stream.readableEnded || stream.destroyed
    ? undefined
    : new Promise(resolve => stream.once('close', resolve))
}
