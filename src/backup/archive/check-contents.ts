import { Rm3Error } from '../../errors.ts'
import type { LogPlace } from '../../log/raw.ts'
import type { Secret } from '../restore.ts'
import type { ArchivedBlob, ArchiveEnd, ArchiveHeader } from './contents.ts'

/** What MessagePack of an archive held is only taken for what it shall be when it is: checksums do not keep out who can make them. */
type Fields = Readonly<Record<string, unknown>>

/** Most characters of one secret. */
const SECRET_CHARS_MAX = 65_536

const SHA256 = /^[0-9a-f]{64}$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** @throws BACKUP_NEWER, an Error saying what is wrong */
export function parseHeader(value: unknown): ArchiveHeader {
  const { format, version, parent, head } = fieldsOf(value)
  if (format !== 'rm3-archive') throw new Error('it is the header of something else')
  if (version !== 1) {
    throw new Rm3Error(
      'BACKUP_NEWER',
      `the archive is of version ${String(version)} of the format, this rm3 knows version 1; load it with a newer one`,
    )
  }
  const { recordedAt } = fieldsOf(head)
  if (recordedAt !== null && !isLike(recordedAt, INSTANT)) throw new Error('its header has no time')
  const places = { parent: placeOf(parent), head: placeOf(head) }
  if (places.parent.position > places.head.position) throw new Error('it ends before it begins')
  return { format, version, ...places, head: { ...places.head, recordedAt } }
}

function placeOf(value: unknown): LogPlace {
  const { position, chain } = fieldsOf(value)
  if (!isCount(position) || !isLike(chain, SHA256)) throw new Error('its header names no place')
  if (position === 0 && !/^0+$/.test(chain)) throw new Error('its header names no place')
  return { position, chain }
}

export function parseBlob(value: unknown): ArchivedBlob {
  const { sha256, category, sizeBytes, missing } = fieldsOf(value)
  const isKnown = category === 'public' || category === 'private'
  if (!isLike(sha256, SHA256) || !isKnown || !isCount(sizeBytes))
    throw new Error('it names no blob')
  return { sha256, category, sizeBytes, ...(missing === true && { missing }) }
}

export function parseSecrets(value: unknown): Secret[] {
  if (!Array.isArray(value)) throw new Error('it holds no secrets')
  return value.map(row => {
    const [credential, userId, secret, created] = Array.isArray(row) ? row : []
    const isWhole = isLike(credential, UUID) && isLike(userId, UUID) && isLike(created, INSTANT)
    const isText = typeof secret === 'string' && secret.length <= SECRET_CHARS_MAX
    if (!isWhole || !isText || secret.includes('\0')) throw new Error('it holds no secrets')
    return { credential, userId, secret, created }
  })
}

export function parseEnd(value: unknown): ArchiveEnd {
  const fields = fieldsOf(value)
  const count = (name: string): number => {
    const number = fields[name]
    if (!isCount(number)) throw new Error(`it does not say how many ${name}`)
    return number
  }
  const text = (name: string): string => {
    const run = fieldsOf(fields['run'])[name]
    if (typeof run !== 'string' || run.length > 200) throw new Error(`it does not tell its ${name}`)
    return run
  }
  return {
    events: count('events'),
    blobs: count('blobs'),
    blobBytes: count('blobBytes'),
    missingBlobs: count('missingBlobs'),
    secrets: count('secrets'),
    run: {
      site: text('site'),
      epoch: text('epoch'),
      created: text('created'),
      program: text('program'),
    },
  }
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('it holds something else than it should')
  return value as Fields
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isLike(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value)
}
