import type { JsonObject } from '../codec/json.ts'
import type { Db } from '../pg/db.ts'
import { listWorkers, type WorkerStatus } from './checkpoints.ts'

/** The last backup that went well, and the last rehearsal. */
export interface BackupStanding {
  /** When it was begun: RFC 3339. */
  readonly at: string
  readonly name: string
  readonly kind: string
  readonly position: number
  readonly sizeBytes: number
  /** How many there are on the shelf with it. */
  readonly kept: number
  readonly verified: boolean
  /** An encrypted one that was not read again, because its key is elsewhere, is not rehearsed either. */
  readonly encrypted: boolean
  /** How many archives it takes to load it. */
  readonly parts: number
}

export interface DrillStanding {
  readonly at: string
  readonly backup: string
  readonly position: number
  readonly seconds: number
}

export interface Standing {
  readonly backup: BackupStanding | null
  readonly drill: DrillStanding | null
}

/** How the backups of a site stand, by what its workers reported last; null for what was not done since they were set up. */
export async function findBackupStanding(db: Db): Promise<Standing> {
  return backupStandingOf(await listWorkers(db))
}

/** As `findBackupStanding`, of workers that are known already. */
export function backupStandingOf(workers: readonly WorkerStatus[]): Standing {
  const made = reportOf(workers, 'backup')
  const drill = reportOf(workers, 'restore-drill')
  const backup = made === null ? null : (made['backup'] as JsonObject | undefined)
  return {
    backup: backup ? ({ ...backup, ...members(made, 'kept', 'verified', 'parts') } as never) : null,
    drill: drill as unknown as DrillStanding | null,
  }
}

function reportOf(workers: readonly WorkerStatus[], name: string): JsonObject | null {
  const report = workers.find(worker => worker.name === name)?.lastRun?.report ?? null
  return typeof report === 'object' && !Array.isArray(report) ? report : null
}

function members(object: JsonObject | null, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map(name => [name, object?.[name] ?? null]))
}
