import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bodyHashOf, itemLine, linkOf, parseItem } from '../../../src/backup/folder/item.ts'
import type { ProvableEvent } from '../../../src/log/copy-history.ts'
import { reseal, sealed } from './reseal.ts'

interface Place {
  readonly file: string
  readonly line: number
  event: ProvableEvent
}

/**
 * Changes events of a backup and makes all hashes anew, as somebody would who wants it to be taken for whole. Records stay as they were.
 *
 * @param change gives the event as it shall be, or the same one
 */
export function forge(dir: string, change: (event: ProvableEvent) => ProvableEvent): void {
  const places = readdirSync(dir)
    .filter(name => name.endsWith('.json') && name !== 'catalog.json')
    .flatMap(file => placesIn(dir, file))
    .sort((one, other) => one.event.position - other.event.position)
  let chain = '0'.repeat(64)
  for (const place of places) {
    const event = change(place.event)
    const salted =
      event.salt === null ? event : { ...event, bodyHash: bodyHashOf(event.salt, event) }
    const linked = { ...salted, previous: chain }
    chain = linkOf(linked)
    place.event = { ...linked, chain }
  }
  for (const file of new Set(places.map(place => place.file))) writeBack(dir, file, places)
  reseal(dir, text => sealed(text.replace(/"chain":"[0-9a-f]{64}"/, `"chain":"${chain}"`)))
}

/** Makes an event follow another value than the chain had before it, with a hash that fits. */
export function unlink(dir: string, position: number): void {
  for (const file of readdirSync(dir).filter(name => name.endsWith('.json'))) {
    const places = file === 'catalog.json' ? [] : placesIn(dir, file)
    const place = places.find(({ event }) => event.position === position)
    if (place === undefined) continue
    const event = { ...place.event, previous: 'ab'.repeat(32) }
    place.event = { ...event, chain: linkOf(event) }
    writeBack(dir, file, places)
  }
  reseal(dir)
}

function placesIn(dir: string, file: string): Place[] {
  return readFileSync(join(dir, file), 'utf8')
    .split('\n')
    .flatMap((text, line) => {
      const event = parseItem(text.replace(/,$/, ''), streamOf(dir, file))
      return event === null ? [] : [{ file, line, event }]
    })
}

function streamOf(dir: string, file: string): string {
  const [, id = ''] = /^ {2}"entityId": "(.*)",$/m.exec(readFileSync(join(dir, file), 'utf8')) ?? []
  if (id !== '') return id
  return file === 'permissions.json'
    ? '00000000-0000-4000-8000-000000000001'
    : '00000000-0000-4000-8000-000000000002'
}

function writeBack(dir: string, file: string, places: readonly Place[]): void {
  const lines = readFileSync(join(dir, file), 'utf8').split('\n')
  for (const place of places) {
    if (place.file !== file) continue
    const comma = lines[place.line]?.endsWith(',') ? ',' : ''
    lines[place.line] = itemLine(place.event) + comma
  }
  writeFileSync(join(dir, file), lines.join('\n'))
}
