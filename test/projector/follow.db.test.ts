import { change } from '../../src/commands/change.ts'
import { deletePage, pageAt, revisePage } from '../../src/commands/pages.ts'
import type { SiteEvent } from '../../src/content/events.ts'
import { readHead } from '../../src/log/read.ts'
import {
  pauseProjection,
  resumeProjection,
  retryProjection,
  skipEvent,
} from '../../src/projector/operate.ts'
import { untilReached } from '../../src/projector/standing.ts'
import { assert, rejection, suite } from '../harness.ts'
import { AS_ROOT } from '../support/database.ts'
import {
  countingProjection,
  documentOf,
  type FollowedSite,
  followedSite,
  makePages,
  titleProjection,
  until,
} from '../support/following.ts'

const counting = countingProjection()
const titles = titleProjection()

async function counted(site: FollowedSite): Promise<number> {
  const [row] = await site.db.rows<{ count: number }>(
    'select coalesce(sum(count), 0)::int as count from counting',
  )
  return row?.count ?? 0
}

async function revise({ site }: FollowedSite, n: number): Promise<void> {
  await change(site, AS_ROOT, async it => {
    const { sinceId } = await pageAt(it, `wh.p${n}`)
    const edit = () => documentOf(`Again ${n}`)
    await revisePage(it, `wh.p${n}`, { ifMatch: sinceId ?? '', edit })
  })
}

async function areAt(site: FollowedSite, position: number): Promise<boolean> {
  const [one, other] = [await site.standing('counting'), await site.standing('titles')]
  return Math.min(one.position, other.position) >= position
}

async function isLive(site: FollowedSite, name: string): Promise<boolean> {
  const { state, lag } = await site.standing(name)
  return state === 'live' && lag === 0
}

suite('following the log', test => {
  let site: FollowedSite
  test.before(async () => {
    site = await followedSite([counting, titles])
  })
  test.after(() => site.close())

  test('builds from the beginning and is live at the end of the log', async () => {
    await makePages(site.site, 250)
    assert.is((await site.standing('titles')).state, 'building')

    site.follow([counting, titles])
    await until(
      'both are live',
      async () => (await isLive(site, 'titles')) && isLive(site, 'counting'),
    )

    assert.is(await counted(site), 250)
    const rows = await site.db.rows('select title from titles where title = $1::text', ['Page 77'])
    assert.is(rows.length, 1)
    assert.match((await site.standing('titles')).owner ?? '', /^test$/)
  })

  test('goes on with what is written, also by many at once', async () => {
    const { position } = await readHead(site.db)
    await Promise.all(Array.from({ length: 40 }, (_, n) => revise(site, n)))
    await change(site.site, AS_ROOT, it => deletePage(it, 'wh.p7'))

    await until('both are there', () => areAt(site, position + 41))
    const rows = await site.db.rows<{ title: string }>(
      `select title from titles where title like 'Again%'`,
    )
    assert.is(rows.length, 39)
    assert.is(await counted(site), 291)
  })

  test('does not need notices, which may get lost', async () => {
    await site.owner.rows(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'rm3 notices'`,
    )
    await site.site.db.rows('select 1')
    const { position } = await readHead(site.db)
    await makePages(site.site, 1, 'q')

    await until('both are there', () => areAt(site, position + 1))
  })

  test('is done once by many processes', async () => {
    const others = ['b', 'c', 'd'].map(name => site.follow([counting, titles], name))
    const writing = makePages(site.site, 300, 'r')
    await site.owner.rows(
      `update checkpoints set lease_until = now() - interval '1 s' where name = 'counting'`,
    )
    await writing
    await until('all is counted', async () => (await counted(site)) >= 592)
    await Promise.all(others.map(other => other.stop()))

    assert.is(await counted(site), (await readHead(site.db)).position)
  })
})

suite('following: a process that was paused', test => {
  let site: FollowedSite
  let resume = () => {}
  const paused = new Promise<void>(resolve => {
    resume = resolve
  })
  let isPaused = false
  const slow = countingProjection({
    apply: async (events, db) => {
      await counting.apply(events, db)
      isPaused = true
      await paused
    },
  })
  test.before(async () => {
    site = await followedSite([counting])
    await makePages(site.site, 20)
  })
  test.after(() => site.close())

  test('cannot commit what another has done meanwhile', async () => {
    const zombie = site.follow([slow], 'zombie')
    await until('it is in the middle of a batch', () => isPaused)
    await site.owner.rows(`update checkpoints set lease_until = now() - interval '1 s'`)
    site.follow([counting], 'other')
    await until(
      'the other has the lease',
      async () => (await site.standing('counting')).owner === 'other',
    )
    resume()
    await zombie.stop()
    await until('it is live', () => isLive(site, 'counting'))

    assert.is(await counted(site), 20)
    assert.is((await site.standing('counting')).owner, 'other')
  })
})

suite('following: an event that cannot be applied', test => {
  let site: FollowedSite
  const poison = new Set([33, 47])
  const refuse = ({ position }: SiteEvent) => {
    if (poison.has(position)) throw new Error(`position ${position} is poison`)
  }
  const picky = countingProjection({
    apply: async (events, db) => {
      events.forEach(refuse)
      await counting.apply(events, db)
    },
  })
  test.before(async () => {
    site = await followedSite([counting, titles])
    await makePages(site.site, 60)
    site.follow([picky, titles])
  })
  test.after(() => site.close())

  test('stops only its projection, and is named', async () => {
    await until('it has failed', async () => (await site.standing('counting')).state === 'failed')
    const { error, errorPosition, position, lag, owner } = await site.standing('counting')

    assert.equal(
      [error, errorPosition, position, lag, owner],
      ['position 33 is poison', 33, 32, 28, null],
    )
    assert.ok(
      site.said.some(line =>
        /counting has failed at position 33: position 33 is poison/.test(line),
      ),
    )
    await until('the other is live', () => isLive(site, 'titles'))
    assert.not.ok(await untilReached(site.db, 60, 5_000))
  })

  test('is tried again when that is wanted', async () => {
    poison.delete(33)
    await retryProjection(site.db, 'counting')
    await until(
      'it fails at the next',
      async () => (await site.standing('counting')).errorPosition === 47,
    )

    assert.is(await counted(site), 46)
  })

  test('is left out on record', async () => {
    const other = await rejection(
      skipEvent(site.db, 'counting', { position: 48, actor: 'root', reason: null }),
    )
    await skipEvent(site.db, 'counting', { position: 47, actor: 'root', reason: 'known' })
    await until('it is live', () => isLive(site, 'counting'))

    assert.match(String(other), /failed at position 47, not at position 48/)
    assert.is(await counted(site), 59)
    assert.equal((await site.standing('counting')).skipped, [47])
    const [record] = await site.db.rows<Record<string, unknown>>('select * from skipped_events')
    assert.equal(
      [record?.['actor'], record?.['reason'], record?.['error']],
      ['root', 'known', 'position 47 is poison'],
    )
  })

  test('pauses and goes on when it is told to', async () => {
    await pauseProjection(site.db, 'counting')
    await makePages(site.site, 10, 'q')
    await until('the other is live', () => isLive(site, 'titles'))
    assert.equal(
      [(await site.standing('counting')).state, (await site.standing('counting')).lag],
      ['paused', 10],
    )
    await resumeProjection(site.db, 'counting')
    await until('it is live', () => isLive(site, 'counting'))

    assert.is(await counted(site), 69)
  })

  test('can be told nothing that does not fit its state', async () => {
    const codes = await Promise.all(
      [
        retryProjection(site.db, 'counting'),
        resumeProjection(site.db, 'counting'),
        pauseProjection(site.db, 'pages'),
        retryProjection(site.db, 'none'),
      ].map(async work => ((await rejection(work)) as { code: string }).code),
    )

    assert.equal(codes, [
      'PROJECTION_STATE',
      'PROJECTION_STATE',
      'PROJECTION_STATE',
      'PROJECTION_NOT_FOUND',
    ])
  })
})

suite('following: another log', test => {
  for (const [title, damage, complaint] of [
    ['of another epoch', 'update log_head set epoch = gen_random_uuid()', /its epoch is/],
    [
      'that is shorter',
      'update log_head set position = position - 5',
      /ends at 15, before position 20/,
    ],
  ] as const) {
    test(`${title} stops a projection, and nothing is skipped`, async () => {
      const site = await followedSite([counting])
      try {
        await makePages(site.site, 20)
        site.follow([counting])
        await until('it is live', () => isLive(site, 'counting'))
        await site.owner.script(damage)
        await until(
          'it has failed',
          async () => (await site.standing('counting')).state === 'failed',
        )

        assert.match((await site.standing('counting')).error ?? '', complaint)
      } finally {
        await site.close()
      }
    })
  }

  test('is taken for its own while it has seen nothing yet', async () => {
    const site = await followedSite([counting])
    try {
      await site.owner.script('update log_head set epoch = gen_random_uuid()')
      await makePages(site.site, 5)
      site.follow([counting])
      await until('it is live', () => isLive(site, 'counting'))

      assert.is(await counted(site), 5)
    } finally {
      await site.close()
    }
  })
})
