import type { Json, JsonObject } from '../../codec/json.ts'
import type { Document } from '../../content/document.ts'
import { Rm3Error } from '../../errors.ts'
import { findText, isPath, itemsAt, objectAt, textAt } from './fields.ts'
import { parseSource } from './files.ts'
import { failOnProblems, newFindings, refuse, type Spot, spotIn, spotOf } from './findings.ts'
import { nameAt, patternAt } from './permissions.ts'

/** A user to create. Without a `password` one is to be made up, and shown once. `path` is below `<root>.users`. */
export interface TemplateUser {
  readonly type: 'CreateUser'
  readonly name: string
  readonly path: string
  readonly fullName: string
  readonly profile: string | null
  readonly profileUrl: string | null
  readonly email: string | null
  readonly password: string | null
}

/** A role for a user. */
export interface TemplateAssignment {
  readonly type: 'AssignRole'
  /** The user's login name, and its page. */
  readonly user: string
  readonly path: string
  readonly role: string
}

/** A permission for a role, where the pattern matches. */
export interface TemplateGrant {
  readonly type: 'PermitRole'
  readonly role: string
  readonly permission: string
  readonly pattern: string
}

/** A page to create, live. Texts are Markdown sources: nothing is rendered yet. */
export interface TemplatePage {
  readonly type: 'CreatePage'
  readonly path: string
  readonly document: Document
}

/** One item of a template file, as a command: in the order of the file, later ones may need earlier ones. */
export type TemplateCommand = TemplateUser | TemplateAssignment | TemplateGrant | TemplatePage

const ITEMS_MAX = 100_000
const FEED = { format: 'indexfeed', query: 'dir', sort: 'path', partial: 'list' }

/**
 * The commands of a template file (`rm3admin loadtemplate`).
 *
 * @param root dotted path of the site's first page; the paths of the items are below it
 * @param file what errors call the source
 * @throws SOURCE_DAMAGED naming the item by JSON pointer; PATH_INVALID when `root` is no path
 */
export function readTemplate(
  source: string | Uint8Array,
  root: string,
  file = 'template',
): readonly TemplateCommand[] {
  if (!isPath(root)) throw new Rm3Error('PATH_INVALID', `${root} is not a path.`, { path: root })
  const findings = newFindings()
  const items = itemsAt(spotOf(file, parseSource(source, file), findings))
  if (items.length > ITEMS_MAX)
    refuse(spotOf(file, undefined, findings), 'too-many-items', `more than ${ITEMS_MAX} items`)
  const commands = items.slice(0, ITEMS_MAX).flatMap(item => readItem(item, root))
  failOnProblems(findings)
  return commands
}

function readItem(item: Spot, root: string): TemplateCommand[] {
  objectAt(item)
  const type = textAt(spotIn(item, 'type'))
  switch (type) {
    case 'user':
      return [readUser(item, root)]
    case 'assign':
      return [readAssignment(item, root)]
    case 'permit':
      return [readGrant(item)]
    case 'index':
    case 'page':
    case 'predicate':
    case 'ontag':
      return [{ type: 'CreatePage', path: pathOf(item, root), document: documentOf(item, type) }]
    case '':
      return []
    default:
      refuse(spotIn(item, 'type'), 'unknown-type', `an item of type ${type.slice(0, 40)}`)
      return []
  }
}

function readUser(item: Spot, root: string): TemplateUser {
  return {
    type: 'CreateUser',
    name: textAt(spotIn(item, 'name')),
    path: userPath(spotIn(item, 'name'), root),
    fullName: textAt(spotIn(item, 'fullName')),
    profile: findText(spotIn(item, 'profile')),
    profileUrl: findText(spotIn(item, 'profileUrl')),
    email: findText(spotIn(item, 'email')),
    password: findText(spotIn(item, 'password')),
  }
}

function readAssignment(item: Spot, root: string): TemplateAssignment {
  const user = spotIn(item, 'user')
  return {
    type: 'AssignRole',
    user: textAt(user),
    path: userPath(user, root),
    role: nameAt(spotIn(item, 'role')),
  }
}

function readGrant(item: Spot): TemplateGrant {
  return {
    type: 'PermitRole',
    role: nameAt(spotIn(item, 'role')),
    permission: nameAt(spotIn(item, 'permission')),
    pattern: patternAt(spotIn(item, 'path')),
  }
}

function documentOf(item: Spot, type: 'index' | 'page' | 'predicate' | 'ontag'): Document {
  const summary: JsonObject = {
    title: textAt(spotIn(item, 'title')),
    abstract: findText(spotIn(item, 'abstract')) ?? '',
  }
  if (type === 'predicate')
    return pageOf('predicate', { ...summary, uri: textAt(spotIn(item, 'uri')) }, {})
  if (type === 'ontag') {
    const properties = itemsAt(spotIn(item, 'properties')).map(property => objectAt(property))
    return pageOf('ontag', summary, { properties })
  }
  const proto = findText(spotIn(item, 'proto')) ?? (type === 'index' ? 'index' : 'base')
  const source = findText(spotIn(item, 'posting')) ?? ''
  const blocks: Json[] = [{ format: 'markdown', source }, ...(type === 'index' ? [FEED] : [])]
  return pageOf(proto, summary, { posting: { format: 'section', blocks } })
}

/** Predicates and ontological tags are found by a tag that says what they are. */
function pageOf(proto: string, summary: JsonObject, data: JsonObject): Document {
  const isTagged = proto === 'predicate' || proto === 'ontag'
  const tags: JsonObject = isTagged ? { navigation: [{ '@id': proto, objClass: 'tag' }] } : {}
  return { proto, hidden: false, summary, data, tags }
}

function pathOf(item: Spot, root: string): string {
  const spot = spotIn(item, 'path')
  const stated = Array.isArray(spot.value) ? spot.value.join('.') : textAt(spot)
  const path = stated === '' ? root : `${root}.${stated}`
  if (!isPath(path)) refuse(spot, 'path', 'this is not a path')
  return path
}

function userPath(spot: Spot, root: string): string {
  const path = `${root}.users.${textAt(spot)}`
  if (!isPath(path) || textAt(spot).includes('.')) refuse(spot, 'name', 'this is not a login name')
  return path
}
