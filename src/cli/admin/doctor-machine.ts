import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '../../config.ts'
import { isRm3Error } from '../../errors.ts'
import { demandFreePort } from '../../free-port.ts'

/** One line of the doctor's. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly text: string
  /** What to do. */
  readonly advice?: string
}

const NODE_MAJOR_MIN = 20
const FREE_BYTES_WARN = 1_000_000_000
const FREE_BYTES_FAIL = 100_000_000

/** Node, disk, folders and port. */
export async function examineMachine(config: Config): Promise<Finding[]> {
  const { dataFolder, publicBlobsFolder, privateBlobsFolder } = config
  return [
    examineNode(process.versions.node),
    await examineDisk(dataFolder),
    await examineFolder('data folder', dataFolder),
    await examineFolder('public blobs', publicBlobsFolder),
    await examineFolder('private blobs', privateBlobsFolder),
    await examinePort(config),
  ]
}

/** Whether this Node will do. */
export function examineNode(version: string): Finding {
  const major = Number.parseInt(version, 10)
  if (major >= NODE_MAJOR_MIN) return { check: 'node', state: 'ok', text: version }
  const advice = `install Node ${NODE_MAJOR_MIN} or newer`
  return { check: 'node', state: 'fail', text: version, advice }
}

async function examineDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await existing(folder))
  const free = bavail * bsize
  const text = `${(free / 1e9).toFixed(1)} GB free for ${folder}`
  const advice = 'make room, or set RM3_DATA to a folder on a larger disk'
  if (free < FREE_BYTES_FAIL) return { check: 'disk', state: 'fail', text, advice }
  if (free < FREE_BYTES_WARN) return { check: 'disk', state: 'warn', text, advice }
  return { check: 'disk', state: 'ok', text }
}

async function examineFolder(check: string, folder: string): Promise<Finding> {
  const nearest = await existing(folder)
  const made = nearest === folder ? '' : ', to be made when it is needed'
  try {
    await access(nearest, constants.W_OK | constants.X_OK)
    return { check, state: 'ok', text: `${folder} can be written${made}` }
  } catch {
    const advice = `let the user that runs rm3 write to ${nearest}`
    return { check, state: 'fail', text: `${folder} cannot be written`, advice }
  }
}

async function examinePort({ listenHost, listenPort }: Config): Promise<Finding> {
  const text = `${listenHost}:${listenPort}`
  try {
    await demandFreePort(listenHost, listenPort)
    return { check: 'port', state: 'ok', text: `${text} is free` }
  } catch (thrown) {
    if (isRm3Error(thrown, 'PORT_IN_USE')) {
      const advice = 'right while rm3front runs; otherwise set RM3_LISTEN_PORT to another one'
      return { check: 'port', state: 'warn', text: `${text} is taken`, advice }
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const advice =
      'set RM3_LISTEN_HOST to an address of this machine, RM3_LISTEN_PORT to a free port'
    return { check: 'port', state: 'fail', text: `${text}: ${message}`, advice }
  }
}

/** The folder, or the nearest one above it that is there. */
async function existing(folder: string): Promise<string> {
  for (let nearest = folder; ; nearest = dirname(nearest)) {
    const found = await access(nearest).then(
      () => true,
      () => false,
    )
    if (found || dirname(nearest) === nearest) return nearest
  }
}
