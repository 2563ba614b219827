import { basename } from 'node:path'
import { isProcessAlive } from './processes.ts'

/** How long the process that started a server means to run. */
export type Lifetime = 'command' | 'server'

/** The process that started a server and will stop it, as told by the server's cluster_name. */
export interface Owner {
  readonly lifetime: Lifetime
  readonly pid: number
  readonly program: string
}

const PROGRAM_CHARACTERS_MAX = 30

/** Us. */
export function ourselves(lifetime: Lifetime): Owner {
  const program = basename(process.argv[1] ?? 'node').replace(/\.m?js$/, '')
  return {
    lifetime,
    pid: process.pid,
    program: program.replace(/[^\w.-]/g, '_').slice(0, PROGRAM_CHARACTERS_MAX),
  }
}

/** The owner written as a cluster_name (at most 63 ASCII characters). */
export function clusterNameOf({ lifetime, pid, program }: Owner): string {
  return `rm3 ${lifetime} ${pid} ${program}`
}

/** The owner that a cluster_name tells of, null when it runs no more or none is named. */
export function ownerIn(clusterName: string): Owner | null {
  const [, lifetime, pid, program = ''] =
    clusterName.match(/^rm3 (command|server) (\d+) (.*)$/) ?? []
  if (lifetime === undefined || !isProcessAlive(Number(pid))) return null
  return { lifetime: lifetime === 'server' ? 'server' : 'command', pid: Number(pid), program }
}

/** The owner for people. */
export function describeOwner({ pid, program }: Owner): string {
  return `${program} (process ${pid})`
}
