import { execFileSync } from 'node:child_process'
import { mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readLegacyBackup } from '../../../src/backup/legacy/backup.ts'
import { readLegacyPage } from '../../../src/backup/legacy/page.ts'
import { readTemplate } from '../../../src/backup/legacy/template.ts'
import { Rm3Error } from '../../../src/errors.ts'
import { assert, rejection, suite } from '../../harness.ts'
import {
  addBlob,
  backupOf,
  id,
  inFolder,
  type Loose,
  type OldBackup,
  readBack,
  record,
  row,
  simplePage,
  writeBackup,
} from './old-backup.ts'

type Found = { file: string; place: string; rule: string; problems: unknown[] }

function sample(): OldBackup {
  const files = backupOf(simplePage('wh', 10), simplePage('wh.a', 20))
  addBlob(files, { path: 'wh.a', name: 'file.mp3', revision: 21, bytes: 'ID3' })
  return files
}
const BLOB = `wh.a-${id(21)}-file.mp3`

/** What reading the sample says after `spoil` changed its values. */
async function refusal(spoil: (files: OldBackup) => unknown): Promise<Found> {
  const files = sample()
  await spoil(files)
  return damage(await rejection(readBack(files)))
}

/** What reading the sample says after `spoil` changed its folder. */
async function refusalOf(spoil: (dir: string) => Promise<unknown>): Promise<Found> {
  return inFolder(async dir => {
    await writeBackup(dir, sample())
    await spoil(dir)
    return damage(await rejection(readLegacyBackup(dir)))
  })
}

function damage(thrown: unknown): Found {
  if (!(thrown instanceof Rm3Error)) throw thrown
  assert.is(thrown.code, 'SOURCE_DAMAGED')
  const { file, place, rule, problems } = thrown.details
  assert.ok(thrown.message.includes(String(file)))
  return { file, place, rule, problems } as Found
}

function catalogOf(files: OldBackup): Record<string, Loose> {
  return files.get('catalog.json') as Record<string, Loose>
}

suite('a damaged legacy folder', test => {
  test('is read when it is whole', async () => {
    assert.is((await readBack(sample())).counts.pages, 2)
  })
  test('is not found when it is missing', async () => {
    const error = await rejection(readLegacyBackup('/nonexistent/backup'))

    assert.is((error as Rm3Error).code, 'SOURCE_NOT_FOUND')
  })
  test('is refused when it is a file', async () => {
    const found = await inFolder(async dir => {
      await writeFile(join(dir, 'x'), '')
      return damage(await rejection(readLegacyBackup(join(dir, 'x'))))
    })

    assert.is(found.rule, 'not-a-folder')
  })
  for (const name of ['catalog.json', 'wh.a-data.json', 'permissions.json', BLOB]) {
    test(`names ${name} when it is missing`, async () => {
      const found = await refusalOf(dir => rm(join(dir, name)))

      assert.equal([found.file, found.rule], [name, 'missing'])
    })
    test(`names ${name} when it is a link`, async () => {
      const found = await refusalOf(async dir => {
        await rm(join(dir, name))
        await symlink('wh-data.json', join(dir, name))
      })

      assert.equal([found.file, found.rule], [name, 'not-a-file'])
    })
    test(`names ${name} when it is a folder`, async () => {
      const found = await refusalOf(async dir => {
        await rm(join(dir, name))
        await mkdir(join(dir, name))
      })

      assert.equal([found.file, found.rule], [name, 'not-a-file'])
    })
    test(`names ${name} when it is a pipe`, async () => {
      const found = await refusalOf(async dir => {
        await rm(join(dir, name))
        execFileSync('mkfifo', [join(dir, name)])
      })

      assert.equal([found.file, found.rule], [name, 'not-a-file'])
    })
  }
  test('names a file that the catalog does not list', async () => {
    const found = await refusalOf(dir => writeFile(join(dir, 'wh.b-data.json'), '{}'))

    assert.equal([found.file, found.rule], ['wh.b-data.json', 'extra-file'])
  })
  test('names a file of JSON, and a blob, that are too large', async () => {
    for (const name of ['wh.a-data.json', BLOB]) {
      const found = await refusalOf(dir => truncate(join(dir, name), 5 * 2 ** 40))

      assert.equal([found.file, found.rule], [name, 'too-large'])
    }
  })
  test('lists all problems, at most fifty of them', async () => {
    const found = await refusalOf(async dir => {
      for (let n = 0; n < 60; n++) await writeFile(join(dir, `x${n}`), '')
    })

    assert.is(found.problems.length, 50)
  })
})

suite('hostile JSON in a legacy backup', test => {
  const texts: [string, string | Buffer][] = [
    ['nothing', ''],
    ['half of it', '{"path": "wh.a"'],
    ['a comma too many', '{"path": "wh.a",}'],
    ['a byte order mark', '\ufeff{}'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['the key __proto__', '{"summary": {"__proto__": {"polluted": true}}}'],
    ['a key twice', '{"path": "wh.a", "path": "wh"}'],
    ['a hundred thousand levels', '['.repeat(100_000)],
    ['a number beyond all bounds', '{"revisionNum": 1e999}'],
    ['a NUL', '{"path": "wh\\u0000"}'],
    ['half a character', '{"path": "\\ud800"}'],
  ]
  for (const [what, text] of texts) {
    test(`is refused for ${what}`, async () => {
      const found = await refusal(files => files.set('wh.a-data.json', text))

      assert.equal([found.file, found.rule], ['wh.a-data.json', 'json'])
      assert.is(({} as Loose)['polluted'], undefined)
    })
  }
  for (const file of ['catalog.json', 'permissions.json', 'credentials.json', 'wh-data.json']) {
    for (const value of ['null', '7', '"text"', file === 'permissions.json' ? '{}' : '[[]]']) {
      test(`is refused for ${value} in ${file}`, async () => {
        assert.is((await refusal(files => files.set(file, value))).file, file)
      })
    }
  }
})

suite('a hostile legacy catalog', test => {
  const names = ['../x', '/etc/passwd', 'a/../../x', '..\\x', 'C:\\x', '..', 'x'.repeat(5000), '']
  for (const name of names) {
    test(`cannot name the blob ${name.slice(0, 20)}`, async () => {
      const found = await refusal(files => {
        const entry = catalogOf(files)['wh.a'] as { blobs: Loose }
        entry.blobs = { [name]: entry.blobs[BLOB] }
      })

      assert.equal([found.file, found.rule], ['catalog.json', 'name'])
    })
    test(`cannot name the file ${name.slice(0, 20)}`, async () => {
      for (const key of ['main', '_permissions']) {
        const found = await refusal(files => {
          const catalog = catalogOf(files)
          if (key === 'main') catalog['wh.a'] = { ...catalog['wh.a'], main: name }
          else Object.assign(catalog, { [key]: name })
        })

        assert.is(found.file, 'catalog.json')
        assert.ok(['name', 'missing'].includes(found.rule))
      }
    })
    test(`cannot name the page ${name.slice(0, 20)}`, async () => {
      const found = await refusal(files => {
        const catalog = catalogOf(files)
        catalog[name] = { main: `${name}-data.json` }
      })

      assert.is(found.file, 'catalog.json')
    })
  }
  test('cannot list a file twice', async () => {
    const found = await refusal(files =>
      Object.assign(catalogOf(files), { _permissions: 'wh.a-data.json' }),
    )

    assert.is(found.rule, 'listed-twice')
  })
  test('must be of a known version, and not of the future', async () => {
    const versions = [{ _dump_version: '1.0.0' }, { _dump_version: null }]
    const dates = [{ _dump_date: '9999-01-01T00:00:00Z' }, { _dump_date: 'today' }]
    for (const change of [...versions, ...dates]) {
      const found = await refusal(files => Object.assign(catalogOf(files), change))

      assert.equal([found.file, found.place], ['catalog.json', `/${Object.keys(change)[0]}`])
    }
  })
})

suite('a hostile legacy record', test => {
  const changes: [string, Loose, string][] = [
    ['another path', { path: 'wh.b' }, '/path'],
    ['no id', { entityId: null }, '/entityId'],
    ['an id that is none', { entityId: 'x' }, '/entityId'],
    ["the site's own id", { entityId: '00000000-0000-4000-8000-000000000001' }, '/entityId'],
    ["another page's id", { entityId: id(10) }, '/entityId'],
    ["another page's revision", { revisionId: id(11) }, '/revisionId'],
    ['a summary that is text', { summary: 'x' }, '/summary'],
    ['data that is an array', { data: [] }, '/data'],
    ['no proto', { proto: null }, '/proto'],
    ['a proto that is a number', { proto: 7 }, '/proto'],
    ['a number that is none', { revisionNum: 'x' }, '/revisionNum'],
    ['a number below one', { revisionNum: 0 }, '/revisionNum'],
    ['a number beyond all', { revisionNum: 2 ** 31 }, '/revisionNum'],
    ['a history that is an object', { history: {} }, '/history'],
    ['a history of nothing', { history: [null] }, '/history/0'],
    ['a time that is none', { created: '2016-02-30T00:00:00Z' }, '/created'],
    ['hidden that is text', { hidden: 'yes' }, '/hidden'],
  ]
  for (const [what, change, place] of changes) {
    test(`is refused for ${what}`, async () => {
      const found = await refusal(files =>
        Object.assign(files.get('wh.a-data.json') as Loose, change),
      )

      assert.equal([found.file, found.place], ['wh.a-data.json', place])
    })
  }
  const rows: [string, Partial<Parameters<typeof row>[0]>, string][] = [
    ['that is its own base', { base: 22 }, '/history/1/baseRevisionId'],
    ['with an id that is used', { revision: 21 }, '/history/1/revisionId'],
    ["with another page's id", { revision: 11 }, '/history/1/revisionId'],
    ['without an id', { more: { revisionId: null } }, '/history/1/revisionId'],
    ['without content', { more: { data: {} } }, '/history/1/data/toData'],
    [
      'with an actor that is none',
      { more: { actorPath: { path: ['../x'] } } },
      '/history/1/actorPath',
    ],
    ['with a note that is none', { more: { note: 7 } }, '/history/1/note'],
    ['without a class', { more: { evtClass: null } }, '/history/1/evtClass'],
    ['that moves nowhere', { evtClass: 'Move' }, '/history/1/data/toPath'],
  ]
  for (const [what, change, place] of rows) {
    test(`is refused for a row ${what}`, async () => {
      const found = await refusal(files => {
        const base = { path: 'wh.a', entity: 20, revision: 22, minute: 50, evtClass: 'Update' }
        const page = files.get('wh.a-data.json') as { history: Loose[] }
        page.history.push(row({ ...base, ...change }))
      })

      assert.equal([found.file, found.place], ['wh.a-data.json', place])
    })
  }
  test('is refused for bases in a circle', async () => {
    const update = { path: 'wh.a', entity: 20, evtClass: 'Update', minute: 50 }
    const found = await refusal(files => {
      const page = files.get('wh.a-data.json') as { history: Loose[] }
      page.history.push(row({ ...update, revision: 22, base: 23 }))
      page.history.push(row({ ...update, revision: 23, base: 22 }))
    })

    assert.equal([found.file, found.rule], ['wh.a-data.json', 'cycle'])
  })
  test('is refused for a page on the path of another', async () => {
    const made = row({ path: 'wh.b', entity: 30, revision: 31, minute: 40 })
    const move = { path: 'wh.b', entity: 30, evtClass: 'Move', minute: 50, revision: 32 }
    const back = { path: 'wh.a', entity: 30, evtClass: 'Move', minute: 60, revision: 33 }
    const page = record('wh.b', made, [
      made,
      row({ ...move, data: { toPath: 'wh.a' } }),
      row({ ...back, data: { toPath: 'wh.b' } }),
    ])

    const files = backupOf(simplePage('wh', 10), simplePage('wh.a', 20), page)
    const found = damage(await rejection(readBack(files)))

    assert.equal([found.file, found.rule], ['wh.b-data.json', 'path-taken'])
  })
})

suite('hostile single files', test => {
  test('are refused with a place', async () => {
    const page = simplePage('wh.a', 20)
    const spoilt = JSON.stringify({ ...page, summary: [] })

    const found = damage(
      await rejection((async () => readLegacyPage(spoilt, { file: 'x.json' }))()),
    )

    assert.equal([found.file, found.place], ['x.json', '/summary'])
  })
  test('are read with their history, and with the authors that the site knows', () => {
    const page = simplePage('wh.a', 20, { actor: 'wh.users.ann' })

    const read = readLegacyPage(JSON.stringify(page), {
      actorOf: path => (path === 'wh.users.ann' ? id(77) : null),
    })

    assert.is(read.history?.length, 1)
    assert.is(read.history?.[0]?.events[0]?.actor, id(77))
    assert.equal(read.warnings, [])
  })
  test('are refused as templates, naming the item', async () => {
    const spoilt =
      '[{"type": "permit", "role": "a", "permission": "b", "path": "*"}, {"type": "x"}]'
    const names = '[{"type": "user", "name": "../x", "fullName": "X"}]'
    const wrong = '[{"type": "index", "title": "X", "path": ["a", "../b"]}]'

    for (const [text, place] of [
      [spoilt, '/1/type'],
      [names, '/0/name'],
      [wrong, '/0/path'],
      ['{}', ''],
    ] as const) {
      const found = damage(await rejection((async () => readTemplate(text, 'wh'))()))
      assert.is(found.place, place)
    }
  })
  test('need a root that is a path', async () => {
    const error = await rejection((async () => readTemplate('[]', '../x'))())

    assert.is((error as Rm3Error).code, 'PATH_INVALID')
  })
})
