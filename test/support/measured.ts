import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { PACKAGE_ROOT } from '../../src/package-root.ts'

/** What a command said, and what it took. */
export interface Measured {
  /** null when a signal ended it, as at `DEADLINE_MS`. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Most memory that the process had at once; 0 when it was killed. */
  readonly peakBytes: number
  /** Time that it had of a processor: a busy machine makes no difference. */
  readonly cpuMs: number
}

const DEADLINE_MS = 300_000
/** Linux counts as the most memory of a process what its parent had; but for that file. */
const TAKEN = `import { existsSync, readFileSync, writeSync } from 'node:fs'
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : ''
  const peakKb = Number(/VmHWM:\\s+(\\d+)/.exec(status)?.[1] ?? maxRSS)
  writeSync(3, JSON.stringify([peakKb * 1024, (userCPUTime + systemCPUTime) / 1000]))
})`

/** Runs a command in a process of its own, which is killed when it seems not to end. */
export async function measured(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  const taken = `data:text/javascript,${encodeURIComponent(TAKEN)}`
  const child = spawn(
    process.execPath,
    ['--import', taken, join(PACKAGE_ROOT, 'dist/src/cli', `${program}.js`), ...args],
    {
      env: { PATH: process.env['PATH'] ?? '', RM3_DANGER_UNSAFE_DATABASE: 'true', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      timeout: DEADLINE_MS,
      killSignal: 'SIGKILL',
    },
  )
  const said = ['', '', '']
  for (const [index, stream] of child.stdio.slice(1).entries()) {
    stream?.on('data', text => {
      said[index] += text
    })
  }
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  const [stdout = '', stderr = '', figures = ''] = said
  const [peakBytes, cpuMs] = JSON.parse(figures || '[0,0]') as [number, number]
  return { code, stdout, stderr, peakBytes, cpuMs }
}
