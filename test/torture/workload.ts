import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type ClientOptions } from './client.ts'

/** A client at work, wherever it runs. */
export interface Worker {
  /** Lets what is under way come to an end. @throws when it does not */
  end(): Promise<void>
  /** Ends it at once, and waits until it is gone. */
  kill(): Promise<void>
}

const END_MS = 30_000

/** Starts a client in a process of its own; fulfils when it works. */
export async function startProcess(options: ClientOptions): Promise<Worker> {
  writeFileSync(options.ledger, '') // it may be killed before it writes anything
  const child = fork(join(import.meta.dirname, 'client-process.js'), [JSON.stringify(options)], {
    execArgv: ['--enable-source-maps'],
  })
  await Promise.race([once(child, 'message'), once(child, 'exit')])
  return { end: () => end(child), kill: () => kill(child) }
}

/** Starts a client in this process. */
export function startInside(options: ClientOptions): Worker {
  const client = new Client(options)
  const ended = client.run()
  const stop = async () => {
    client.isEnding = true
    await ended
  }
  return { end: stop, kill: stop }
}

async function end(child: ChildProcess): Promise<void> {
  const exit = exitOf(child)
  child.kill('SIGTERM')
  const code = await Promise.race([exit, sleep(END_MS, 'late', { ref: false })])
  if (code !== 0) throw new Error(`a client ended with ${code}`)
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = exitOf(child)
  child.kill('SIGKILL')
  await exit
}

async function exitOf(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null) return child.exitCode
  if (child.signalCode !== null) return child.signalCode
  const [code, signal] = await once(child, 'exit')
  return code ?? signal
}
