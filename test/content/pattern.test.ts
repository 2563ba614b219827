import fc from 'fast-check'
import pg from 'pg'
import { canonicalPattern, compilePattern } from '../../src/content/pattern.ts'
import { isRm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'
import { fitsPattern } from './pattern-reference.ts'

const label = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') },
  { weight: 1, arbitrary: fc.constantFrom('ab', 'a_b', 'b_a_c', 'ab_c', 'A', 'aB', '_', 'a_') },
)
const path = fc.array(label, { minLength: 1, maxLength: 6 }).map(labels => labels.join('.'))
const marks = fc.constantFrom('', '', '', '', '*', '@', '%', '%*', '@*%')
const alternative = fc.tuple(label, marks).map(([text, mark]) => text + mark)
const tests = fc.array(alternative, { minLength: 1, maxLength: 2 }).map(all => all.join('|'))
const star = fc.constantFrom(...['*', '*', '*', '*{1}', '*{2}', '*{,1}', '*{1,}', '*{1,2}', '*{0}'])
const item = fc.oneof(
  star,
  tests,
  tests.map(all => `!${all}`),
)
const pattern = fc
  .array(item, { minLength: 1, maxLength: 6 })
  .map(items => items.join('.'))
  .filter(isTranslatable)

function isTranslatable(text: string): boolean {
  try {
    compilePattern(text)
    return true
  } catch (thrown) {
    if (isRm3Error(thrown, 'PATTERN_INVALID')) return false
    throw thrown
  }
}

suite('path patterns', test => {
  test('the stock grant of rm3 0.x keeps its meaning', () => {
    const { matches } = compilePattern('wh.!users.*')
    for (const yes of ['wh', 'wh.blog', 'wh.blog.x', 'wh.blog.users', 'wh.userss', 'wh.user']) {
      assert.ok(matches(yes), yes)
    }
    for (const no of ['wh.users', 'wh.users.x', 'wh.users.x.y', 'whale', 'x.wh', 'users']) {
      assert.not.ok(matches(no), no)
    }
  })

  test('patterns mean what PostgreSQL 12 made of them', () => {
    const yes =
      'a.b.c.d.e a.*.e a.*{3}.e a.*{,4}.e a.*{2,}.e a.*{2,3}.e a.*{2,5} *{2,5}.e *.e.* *.a.*.d.* ' +
      '*.!d !d.* a.*.!d a.*.!f.* *.a.*.!f.* *.a.!d.* a.!d.* !b.*.c.* !b.b.* !b.*.e !b.!c.*.e ' +
      '!b.*.!c.*.e *{2}.!b.*.!c.*.e *{1}.!b.*{1}.!c.*.e a.!b.*{1}.!c.*.e !b.*{1}.!c.*.e ' +
      '*.!b.*{1}.!c.*.e !b.!c.* !b.*.!c.* *{2}.!b.*.!c.* *{1}.!b.*{1}.!c.* a.!b.*{1}.!c.* ' +
      '!b.*{1}.!c.* *.!b.*{1}.!c.* A@.b.c.d.e'
    const no =
      'A.b.c.d.e a.*{2}.e a.*{4}.e a.*{2,3} *{2,3}.e *.!d.* !a.* *.!e *.!e.* a.*.!e a.*.!d.* ' +
      '*.a.*.!d.* *.a.!d *.!b.* *.!b.c.* *.!b.*.c.* *{1}.!b.*.!c.*.e *.!b.*.!c.*.e *{1}.!b.*.!c.* ' +
      '*.!b.*.!c.*'
    for (const text of yes.split(' ').filter(isTranslatable)) {
      assert.ok(compilePattern(text).matches('a.b.c.d.e'), text)
    }
    for (const text of no.split(' ').filter(isTranslatable)) {
      assert.not.ok(compilePattern(text).matches('a.b.c.d.e'), text)
    }
    assert.ok(compilePattern('A*@|g.b').matches('aa.b'))
    assert.not.ok(compilePattern('A*.b').matches('aa.b'))
    assert.ok(compilePattern('q%@*').matches('QWER_TY'))
    assert.ok(compilePattern('Q_t%@*').matches('QWER_TY'))
    assert.not.ok(compilePattern('q_t%@*').matches('QWER_GY'))
    assert.ok(compilePattern('foo_bar%').matches('foo_bar_baz'))
    assert.not.ok(compilePattern('foo_bar%').matches('foo_barbaz'))
  })

  test('the path may end where only ! items and stars that may be empty are left', () => {
    const yes = ['wh.!users', 'wh.*.!users', 'wh.!users.!x', 'wh.!users.*.!x.*{,2}', 'wh.*{0}.!a']
    const no = ['wh.!users.*{1}', 'wh.!users.x', '!wh', 'wh.*{1}.!users', 'wh.!a.*{1,}']
    for (const text of yes) assert.ok(compilePattern(text).matches('wh'), text)
    for (const text of no) assert.not.ok(compilePattern(text).matches('wh'), text)
    assert.not.ok(compilePattern('wh.!users').matches('wh.blog.x'))
    assert.not.ok(compilePattern('wh.!users.!x').matches('wh.users'))
    assert.ok(compilePattern('wh.!users.!x').matches('wh.users.y'))
  })

  test('matching equals the reference and the regular expression', () => {
    fc.assert(
      fc.property(pattern, fc.array(path, { minLength: 4, maxLength: 8 }), (text, paths) => {
        const { matches, regex } = compilePattern(text)
        const expression = new RegExp(regex)
        for (const each of paths) {
          assert.is(matches(each), fitsPattern(text, each), `${text} ~ ${each}`)
          assert.is(expression.test(each), matches(each), `${text} ~ ${each}: ${regex}`)
        }
      }),
      { numRuns: 6000 },
    )
  })

  test('counts beyond any path are understood', () => {
    const deep = Array(32).fill('a').join('.')
    assert.ok(compilePattern('*{0,65535}').matches(deep))
    assert.ok(new RegExp(compilePattern('a.*{,99}').regex).test(deep))
    for (const text of [
      '*{33}',
      '*{99999,}',
      '*{40}.!b',
      '*{40,}.!b.*{2,3}',
      '!b.*{40}',
      '*{40}.a',
    ]) {
      const { matches, regex } = compilePattern(text)
      assert.not.ok(matches(deep), text)
      assert.not.ok(new RegExp(regex).test(deep), text)
    }
  })

  test('what is not a pattern is refused', () => {
    const empty = ['', '.', 'a.', '.a', 'a..b', '!', '!*', '!!a', 'a|', '|a', 'a||b', 'a.!']
    const signs = [
      'a-b',
      'ä',
      'a b',
      ' a',
      'a\n',
      'a\0',
      '%',
      '@*',
      'a%%',
      'a*b',
      '%a',
      '**',
      '$',
      '(a',
    ]
    const counts = [
      '*{}',
      '*{2,1}',
      '*{-1}',
      '*{1',
      '*{1,2,3}',
      '*{a}',
      '*{999999}',
      'a{2}',
      '*{1}*',
    ]
    const large = ['a'.repeat(256), 'a'.repeat(80_000), Array(33).fill('a').join('.')]
    const many = [
      Array(9).fill('*').join('.'),
      Array(9).fill('!a').join('.'),
      `${'a|'.repeat(250)}a`,
    ]
    for (const text of [empty, signs, counts, large, many].flat()) {
      assert.not.ok(isTranslatable(text), JSON.stringify(text.slice(0, 80)))
    }
  })

  test('several ! before a plain item are wrong together, wherever the item is', () => {
    for (const [text, yes, no] of [
      ['!a.*.!b.c', 'a.x.c x.b.c x.y.z.c c.x.x.c', 'a.b.c a.x.b.c x.c c a.c'],
      ['!a.*.!b.c.*', 'a.x.c x.b.c.d a.x.c.y.z a.b.c.c', 'a.b.c a.b.c.d x.c.d'],
      ['wh.!users.*.!old.page', 'wh.users.new.page wh.blog.old.page', 'wh.users.old.page wh.page'],
    ] as const) {
      const { matches, regex } = compilePattern(text)
      for (const path of yes.split(' ')) assert.ok(matches(path), `${text} ~ ${path}: ${regex}`)
      for (const path of no.split(' ')) assert.not.ok(matches(path), `${text} ~ ${path}: ${regex}`)
    }
  })

  test('star chains cost no time', () => {
    const { matches } = compilePattern('*.a.*.a.*.a.*.a.*.a.*.a.*.a.*.b')
    const start = performance.now()

    for (let n = 0; n < 100; n++) assert.not.ok(matches(Array(32).fill('a').join('.')))

    assert.ok(performance.now() - start < 1000)
    assert.not.ok(matches(Array(70_000).fill('a').join('.')))
  })

  test('the canonical text is in lower case', () => {
    assert.is(canonicalPattern('wh.!Users|ADMIN.*'), 'wh.!users|admin.*')
  })
})

suite('path patterns in PostgreSQL', test => {
  const { RM3_TEST_PG: url } = process.env
  if (!url) {
    test.skip('the regular expression is true for the same paths', 'RM3_TEST_PG is not set')
    return
  }
  const client = new pg.Client({ connectionString: url })
  test.before(() => client.connect().then(() => {}))
  test.after(() => client.end())

  test('the regular expression is true for the same paths', async () => {
    const patterns = fc.sample(pattern, 1500)
    const rows = patterns.flatMap(text =>
      fc.sample(path, 6).map(each => ({ text, path: each, regex: compilePattern(text).regex })),
    )

    const { rows: answers } = await client.query<{ yes: boolean }>(
      `select path ~ regex as yes
      from unnest($1::text[], $2::text[]) with ordinality as pair (path, regex, place)
      order by place`,
      [rows.map(row => row.path), rows.map(row => row.regex)],
    )

    rows.forEach((row, index) => {
      const expected = compilePattern(row.text).matches(row.path)
      assert.is(answers[index]?.yes, expected, `${row.text} ~ ${row.path}: ${row.regex}`)
    })
  })

  test('the largest patterns are not too much for it', async () => {
    const label = 'x'.repeat(40)
    const wide = Array(8).fill(`!${label}@%*`).join('.*.')
    const mixed = `${Array(7).fill('*{1,9}.!ab@.*{1,9}').slice(0, 4).join('.c.')}`
    const long = [`${Array(24).fill('ab@%').join('.')}.${Array(8).fill('!ab@%').join('.')}`]
    const counted = `${Array(6).fill(`!${label}@%*.*`).join('.')}.a.*`
    for (const text of [wide, mixed, counted, ...long, '*.a.*.a.*.a.*.a.*.a.*.a.*.a.*.b']) {
      const { regex, matches } = compilePattern(text)
      const deep = Array(32).fill('a').join('.')
      const { rows } = await client.query<{ yes: boolean }>('select $1::text ~ $2::text as yes', [
        deep,
        regex,
      ])
      assert.is(rows[0]?.yes, matches(deep), text)
    }
  })
})
