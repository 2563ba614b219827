/**
 * What can be wrong with a backup, by rule. The sentences are those of docs/reference/backup-format.md (a test holds the two together); what
 * is found adds the values. A rule once named keeps its meaning.
 */
export const RULES = {
  'catalog-missing': 'There is no catalog.json: the backup was not finished, or this is none.',
  'catalog-damaged': 'catalog.json is not as it was written.',
  'format-unknown': 'The catalog names a format that this rm3 does not read.',
  'format-newer': 'The backup was written by a newer rm3 than this one.',
  'file-missing': 'A file that the catalog lists is not there.',
  'file-extra': 'A file is there that the catalog does not list.',
  'file-name': 'The catalog lists a name that no file of its kind can have.',
  'file-listed-twice': 'The catalog lists a name twice.',
  'file-not-regular': 'What should be a file is a link, a folder, a pipe or a device.',
  'file-unreadable': 'The system does not let the file be read.',
  'file-size': 'A file has another size than the catalog says.',
  'file-hash': 'A file has other bytes than the catalog says.',
  json: 'A file is not the JSON it should be, or holds what rm3 does not keep.',
  'record-shape': 'A record does not have the members it should.',
  'record-differs': 'A record is not what its history leads to.',
  'history-shape': 'A line of a history is not written as one.',
  'history-order': 'Revisions of a history do not follow one another.',
  'event-hash': 'An event does not have the hash it is recorded with.',
  'event-unknown': 'An event is of a type or version that this rm3 does not know.',
  'event-shape': 'The payload of an event is not what its type has.',
  'event-unfoldable': 'An event cannot follow the one before it.',
  'erasure-missing': 'An event is empty, and no erasure in its history says so.',
  'position-twice': 'Two events have the same position.',
  'position-missing': 'No event has a position that the log had.',
  'chain-broken': 'The events do not follow one another as they did in the log.',
  'chain-end': 'The last event is not the one that the catalog names.',
  'time-decreases': 'The log took an event before the one ahead of it.',
  'id-twice': 'Two events, or two entities, have the same id.',
  'path-twice': 'Two live pages are at one path.',
  'blob-missing': 'An event refers to a blob that the backup does not have.',
  'blob-unused': 'A blob is there that no event refers to.',
  'credential-unknown': 'A secret is of no credential that is in force.',
  'count-differs': 'A number in the catalog is not what the files come to.',
} as const

export type Rule = keyof typeof RULES

/** Something that is wrong: `place` is a line of the file ("line 12"), a position or a JSON pointer; '' is the whole of it. */
export interface Finding {
  readonly rule: Rule
  readonly file: string
  readonly place: string
  readonly message: string
}

const FINDINGS_MAX = 1_000

/** What was found so far; what is beyond the bound is counted only. */
export class Findings {
  readonly list: Finding[] = []
  count = 0

  add(rule: Rule, file: string, message: string, place = ''): void {
    this.count++
    if (this.list.length < FINDINGS_MAX) this.list.push({ rule, file, place, message })
  }
}

/** Thrown while one file is read: the rest of it is not looked at. */
export class FileFault extends Error {
  readonly rule: Rule
  readonly place: string

  constructor(rule: Rule, message: string, place = '') {
    super(message)
    this.name = 'FileFault'
    this.rule = rule
    this.place = place
  }
}
