import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RULES } from '../src/backup/folder/rules.ts'
import { EXIT_CODES } from '../src/cli/exit-codes.ts'
import type { Site } from '../src/commands/change.ts'
import { SITE_SETTINGS } from '../src/commands/site-settings.ts'
import { EVENT_VERSIONS } from '../src/content/upcast.ts'
import { ERROR_CODES, type ErrorCode } from '../src/errors.ts'
import type { Access } from '../src/http/context.ts'
import { STATUS } from '../src/http/problem.ts'
import { buildServer } from '../src/http/server.ts'
import { AppendWatch } from '../src/log/append-watch.ts'
import { PACKAGE_ROOT } from '../src/package-root.ts'
import { SETTINGS } from '../src/settings.ts'
import { assert, suite } from './harness.ts'

/** As much of OpenAPI as is looked at. */
interface Description {
  paths?: Record<string, Record<string, Operation>>
}

/** Of a section's text, by its heading of the third level. */
type Sections = Map<string, string>

const read = (file: string) => readFileSync(join(PACKAGE_ROOT, file), 'utf8')

suite('docs/reference/http.md', test => {
  const sections = sectionsOf(read('docs/reference/http.md'))
  const server = buildServer({ site: {} as Site, wakeups: null })
  test.before(async () => void (await server.ready()))
  test.after(() => server.close())

  /** Routes of the API; what browsers get beside pages is not told of here. */
  const routes = () =>
    server.routeTable.entries
      .filter(({ method }) => method !== 'HEAD')
      .filter(({ url }) => /^\/(api|health|metrics|\*)/.test(url))
      .map(entry => ({ ...entry, heading: `${entry.method} ${spelled(entry.url)}` }))

  test('has one section for each route, and no other', () => {
    const headings = routes().map(({ heading }) => heading)

    assert.equal([...sections.keys()].sort(), headings.sort())
  })

  test('says what each route asks for', () => {
    for (const { heading, access } of routes()) {
      const text = sections.get(heading) ?? ''
      assert.ok(text.startsWith(needs(access)), `${heading}: ${needs(access)}`)
    }
  })

  test('names every parameter and every member of a body', () => {
    const { paths = {} } = server.swagger() as unknown as Description
    for (const { heading, method, url } of routes()) {
      const operation = paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()] ?? {}
      const missing = namesIn(operation).filter(
        name => !sections.get(heading)?.includes(`\`${name}\``),
      )
      assert.equal(missing, [], heading)
    }
  })
})

suite('docs/reference/http.md on /metrics', test => {
  test('lists every figure of our own, and no other', async () => {
    const server = buildServer({ site: {} as Site, wakeups: null, appends: new AppendWatch() })
    await server.ready()
    const { body } = await server.inject('/metrics')
    await server.close()
    const [...names] = body.matchAll(/^# TYPE (rm3_(?!process_|nodejs_)\w+)/gm)
    const rows = rowsOf(sectionsOf(read('docs/reference/http.md')).get('GET /metrics') ?? '')

    assert.equal(
      rows
        .map(row => row.split('`')[1] ?? '')
        .filter(name => !name.endsWith('…'))
        .sort(),
      names.map(([, name]) => name).sort(),
    )
  })
})

suite('docs/reference/errors.md', test => {
  test('lists every code with its sentence, status and exit code', () => {
    const codes = Object.keys(ERROR_CODES) as ErrorCode[]
    const rows = codes.map(
      code => `| \`${code}\` | ${ERROR_CODES[code]} | ${STATUS[code]} | ${EXIT_CODES[code]} |`,
    )

    assert.equal(rowsOf(read('docs/reference/errors.md')), rows)
  })
})

suite('docs/reference/configuration.md', test => {
  test('lists every setting with its meaning, kind and default', () => {
    const rows = Object.entries(SETTINGS).map(([name, setting]) => {
      const value = setting.default === null ? 'none' : `\`${setting.default}\``
      return `| \`${name}\` | ${setting.meaning} | ${setting.kind} | ${value} |`
    })
    const [table = ''] = read('docs/reference/configuration.md').split('## ')

    assert.equal(rowsOf(table), rows)
  })

  test('lists every setting of the site with what it takes', () => {
    const [, table = ''] =
      /## Settings of the site\n([\s\S]*?)\n## /.exec(read('docs/reference/configuration.md')) ?? []
    const known = Object.entries(SITE_SETTINGS).map(
      ([key, { takes }]) => `| \`${key}\` | ${takes} `,
    )

    assert.equal(
      rowsOf(table).map(row => row.split('|', 3).join('|')),
      known,
    )
  })

  test('names every secret as one that a file may hold', () => {
    const [, sentence = ''] =
      /Secrets are([^|]*)\./.exec(read('docs/reference/configuration.md')) ?? []
    const secrets = Object.entries(SETTINGS).filter(([, { secret }]) => secret)

    assert.equal(
      [...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name),
      secrets.map(([name]) => name),
    )
  })
})

suite('docs/reference/events.md', test => {
  const sections = sectionsOf(read('docs/reference/events.md'))
  const source = read('src/content/events.ts')

  test('has one section for each type of event, and no other', () => {
    assert.equal([...sections.keys()].sort(), Object.keys(EVENT_VERSIONS).sort())
  })

  test('lists the fields of every payload', () => {
    for (const [type, text] of sections) {
      const [, payload = ''] = new RegExp(`^  ${type}: (\\w+)$`, 'm').exec(source) ?? []
      const told = rowsOf(text)
        .flatMap(row => (row.split('|')[1] ?? '').split(','))
        .map(cell => cell.trim().replaceAll(/[`?]/g, ''))
      assert.equal(told.sort(), fieldsOf(source, payload).sort(), type)
    }
  })
})

suite('docs/reference/backup-format.md', test => {
  test('lists every rule of verifying a folder', () => {
    const rows = Object.entries(RULES).map(([rule, sentence]) => `| \`${rule}\` | ${sentence} |`)

    const [, part = ''] = read('docs/reference/backup-format.md').split('| rule | means |')
    assert.equal(rowsOf(part.split('\n\n')[0] ?? ''), rows)
  })
})

function sectionsOf(text: string): Sections {
  const sections: Sections = new Map()
  for (const part of text.split(/^### /m).slice(1)) {
    const [heading = '', ...lines] = part.split('\n')
    const body = lines.join('\n').split(/^## /m)[0] ?? ''
    sections.set(heading.replaceAll('`', ''), body.trim())
  }
  return sections
}

/** The rows of a table whose first cell is code. */
function rowsOf(text: string): string[] {
  return text.split('\n').filter(line => line.startsWith('| `'))
}

function spelled(url: string): string {
  return url.replace(/:(\w+)/g, (_, name: string) => name.toUpperCase())
}

function needs(access: Access): string {
  if (access === 'public') return 'For everyone.'
  if (access === 'self') return 'For who is logged in.'
  return access === 'each' ? 'Needs what each operation needs.' : `Needs \`${access}\``
}

interface Operation {
  parameters?: { in: string; name: string }[]
  requestBody?: { content: Record<string, { schema: { properties?: object } }> }
}

function namesIn({ parameters = [], requestBody }: Operation): string[] {
  const inQuery = parameters.filter(parameter => parameter.in === 'query')
  const bodies = Object.values(requestBody?.content ?? {})
  const members = bodies.flatMap(({ schema }) => Object.keys(schema.properties ?? {}))
  return [...inQuery.map(({ name }) => name), ...members]
}

/** The fields of an interface or a type in the text of a module, also those of the types it names. */
function fieldsOf(source: string, name: string): string[] {
  const declared = new RegExp(
    `^export (?:interface|type) ${name}\\b((?:.|\\n)*?)(?:^}$|^$)`,
    'm',
  ).exec(source)?.[1]
  assert.ok(declared !== undefined, `${name} is not declared`)
  const own = [...(declared ?? '').matchAll(/readonly (\w+)\??:/g)].map(([, field]) => field ?? '')
  const named = [...(declared ?? '').matchAll(/(?:extends |= |& )(Imported|Content)\b/g)]
  return [...new Set([...own, ...named.flatMap(([, other]) => fieldsOf(source, other ?? ''))])]
}
