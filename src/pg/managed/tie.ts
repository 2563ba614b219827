import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A command line that runs a program; `isTied` when the kernel signals it as soon as our process has gone. */
export interface TiedCommand {
  readonly program: string
  readonly arguments: string[]
  readonly isTied: boolean
}

/** `program` under Linux's setpriv, which ties its life to that of the process that spawns it; as it is without one. */
export function tiedCommand(signal: 'INT' | 'KILL', program: string, args: string[]): TiedCommand {
  const setpriv = findSetpriv()
  return setpriv === null
    ? { program, arguments: args, isTied: false }
    : {
        program: setpriv,
        arguments: ['--pdeathsig', signal, '--', program, ...args],
        isTied: true,
      }
}

/** Ties `child` to us by a shell that waits for the end of a pipe only we hold open, then interrupts it. */
export function tieByPipe(child: ChildProcess): void {
  const watcher = spawn('/bin/sh', ['-c', 'read -r line; kill -INT "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.on('error', () => {}) // without a shell the server outlives a kill, and the next start ends it
  watcher.stdin.on('error', () => {})
  watcher.unref()
  if ('unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') watcher.stdin.unref()
  child.once('exit', () => watcher.kill('SIGKILL'))
}

function findSetpriv(): string | null {
  if (process.platform !== 'linux') return null
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const found = folders.map(folder => join(folder, 'setpriv')).find(file => existsSync(file))
  // The one of busybox knows no --pdeathsig.
  return found !== undefined && readFileSync(found).includes('pdeathsig') ? found : null
}
