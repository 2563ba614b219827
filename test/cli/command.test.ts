import { PassThrough } from 'node:stream'
import { examineNode } from '../../src/cli/admin/doctor-machine.ts'
import { expiryOf } from '../../src/cli/admin/tokens.ts'
import type { Command, Group, Terminal } from '../../src/cli/command.ts'
import { load } from '../../src/cli/load.ts'
import { execute } from '../../src/cli/program.ts'
import { progressLine } from '../../src/cli/progress.ts'
import { rm3 } from '../../src/cli/rm3-verbs.ts'
import { folded, usageLine } from '../../src/cli/usage.ts'
import { Rm3Error } from '../../src/errors.ts'
import { assert, suite } from '../harness.ts'

const greet: Command = {
  name: 'greet',
  summary: 'greets somebody',
  arguments: [
    { name: 'NAME', summary: 'whom' },
    { name: 'TITLE', summary: 'how', optional: true },
  ],
  options: {
    word: { short: 'w', value: 'TEXT', summary: 'the greeting' },
    loud: { short: 'l', summary: 'shouts' },
  },
  run: async call => {
    const name = call.argument('NAME')
    if (name === 'nobody') throw new Rm3Error('USER_NOT_FOUND', 'there is nobody')
    if (name === 'bug') throw new Error('oh')
    if (name === 'disk') throw ioError()
    const text = `${call.option('word') ?? 'hello'} ${call.findArgument('TITLE') ?? ''}${name}`
    return { text: call.flag('loud') ? text.toUpperCase() : text, data: { name } }
  },
}
function ioError(): Error {
  const of = { code: 'EIO', syscall: 'read', path: '/srv/file' }
  return Object.assign(new Error('EIO: i/o error, read'), of)
}

const group: Group = {
  name: 'tool',
  summary: 'does things',
  commands: [greet, { ...greet, name: 'greet twice' }],
}

suite('commands', test => {
  test('take arguments, options and flags', async () => {
    const { code, out } = await run(greet, ['Ann', '-l', '--word', 'good day'])

    assert.is(code, 0)
    assert.is(out, 'GOOD DAY ANN\n')
  })

  test('print JSON alone with --json', async () => {
    assert.is((await run(greet, ['Ann', '--json'])).out, '{"name":"Ann"}\n')
  })

  for (const [what, words] of Object.entries({
    'a missing argument': [],
    'an argument too many': ['a', 'b', 'c'],
    'an unknown option': ['a', '--nope'],
    'an option without its value': ['a', '--word'],
    'a value for a flag': ['a', '--loud=yes'],
  })) {
    test(`refuse ${what} with 2, the usage on stderr and nothing on stdout`, async () => {
      const { code, out, err } = await run(greet, words)

      assert.is(code, 2)
      assert.is(out, '')
      assert.match(err, /^greet: .+\nUsage: greet NAME \[TITLE\] \[-w TEXT\] \[-l\]\n/)
    })
  }

  test('say everything about themselves with --help, whatever else is given', async () => {
    const { code, out } = await run(greet, ['--help', 'a', 'b', 'c'])

    assert.is(code, 0)
    for (const text of ['Usage: greet', '-w, --word TEXT', 'the greeting', '--json', 'whom']) {
      assert.ok(out.includes(text), text)
    }
  })

  test('say of a disk that fails which file, and what to do, and not that it is a bug', async () => {
    const { code, err } = await run(greet, ['disk'])

    assert.is(code, 1)
    assert.match(
      err,
      /^greet: \/srv\/file: EIO: i\/o error; the disk.+use another one \(FILE_FAILED\)\n$/,
    )
  })

  test('say their version', async () => {
    assert.match((await run(greet, ['--version'])).out, /^\d+\.\d+\.\d+/)
    assert.match((await run(group, ['--version'])).out, /^\d+\.\d+\.\d+/)
  })

  test('of a group are found by the longest name', async () => {
    assert.is((await run(group, ['greet', 'Ann'])).out, 'hello Ann\n')
    assert.is((await run(group, ['greet', 'twice', 'Ann'])).out, 'hello Ann\n')
    assert.is((await run(group, ['greet', 'twice'])).code, 2)
  })

  test('of a group that are none are refused', async () => {
    const unknown = await run(group, ['gree'])

    assert.is(unknown.code, 2)
    assert.match(unknown.err, /no command "gree"; there is greet/)
    assert.is((await run(group, [])).code, 2)
    assert.match((await run(group, ['--nope'])).err, /Unknown option '--nope'/)
    assert.match((await run(group, ['--help'])).out, /greet twice NAME/)
  })

  test('are told of once, also when they have a second name', async () => {
    const { out } = await run(rm3, ['--help'])

    assert.is(out.split('status [--max-age SPAN]').length, 2)
    assert.match(out, /word admin may be left out/)
  })

  test('tell how they are called in lines that fit a terminal', async () => {
    const usage = folded(usageLine(load))

    assert.ok(usage.split('\n').length > 1)
    for (const line of usage.split('\n')) assert.ok(line.length <= 100, line)
    assert.is(usage.replace(/\n +/g, ' '), usageLine(load))
  })

  test('tell an error of ours by sentence and code, a bug with its stack', async () => {
    const ours = await run(greet, ['nobody'])
    const bug = await run(greet, ['bug'])

    assert.is(ours.code, 10)
    assert.is(ours.err, 'greet: there is nobody (USER_NOT_FOUND)\n')
    assert.is(bug.code, 1)
    assert.match(bug.err, /Error: oh\n.* at /)
  })
})

suite('progress', test => {
  test('shows the part that is done and the time left', () => {
    assert.is(
      progressLine('loading', { done: 25, total: 100, elapsedMs: 30_000 }),
      'loading: 25 of 100 (25 %, 1 min 30 s left)',
    )
    assert.is(progressLine('loading', { done: 7, total: 0, elapsedMs: 1 }), 'loading: 7')
    assert.is(progressLine('loading', { done: 0, total: 5, elapsedMs: 1 }), 'loading: 0 of 5 (0 %)')
  })
})

suite('the end of a token', test => {
  const now = Date.parse('2026-02-03T00:00:00Z')

  test('is a date, an instant or a number of days', () => {
    assert.is(expiryOf(null, now), null)
    assert.is(expiryOf('2027-01-01', now), '2027-01-01T00:00:00.000Z')
    assert.is(expiryOf('2026-02-03T01:00:00+00:30', now), '2026-02-03T00:30:00.000Z')
    assert.is(expiryOf('30d', now), '2026-03-05T00:00:00.000Z')
  })

  for (const text of ['', 'tomorrow', '2026-02-02', '0d', '2026-13-01', '30']) {
    test(`is not "${text}"`, () => {
      assert.throws(
        () => expiryOf(text, now),
        (thrown: Rm3Error) => thrown.code === 'USAGE',
      )
    })
  }
})

suite('the doctor', test => {
  test('refuses a Node that is too old', () => {
    assert.is(examineNode('18.20.0').state, 'fail')
    assert.is(examineNode('20.12.0').state, 'ok')
  })
})

async function run(program: Command | Group, words: readonly string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const terminal = { stdin: process.stdin, stdout, stderr, env: {}, cwd: '/' }
  const code = await execute(program, words, {
    terminal: terminal as unknown as Terminal,
    signal: new AbortController().signal,
  })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}
