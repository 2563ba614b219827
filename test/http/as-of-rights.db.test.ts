import fc from 'fast-check'
import { attachBlob } from '../../src/commands/blobs.ts'
import { change } from '../../src/commands/change.ts'
import {
  createPage,
  deletePage,
  movePage,
  pageAt,
  revisePage,
  undeletePage,
} from '../../src/commands/pages.ts'
import { denyRole, permitRole } from '../../src/commands/rights.ts'
import { isRm3Error } from '../../src/errors.ts'
import type { Following } from '../../src/projector/follow.ts'
import { untilReached } from '../../src/projector/standing.ts'
import type { AccessState } from '../access/oracle.ts'
import { assert, suite } from '../harness.ts'
import { LogModel, mayOf } from '../support/as-of-model.ts'
import { AS_ROOT } from '../support/database.ts'
import { type Looker, lookAt, PLACES } from './as-of-surfaces.ts'
import { follow } from './html-site.ts'
import { page, putUser, type TestServer, testServer } from './support.ts'

/** Histories altogether; a site has `TOGETHER` of them, each below a path of its own. */
const HISTORIES = Number(process.env['RM3_TEST_HISTORIES'] ?? 200)
const TOGETHER = 30
/** Histories of one test, so that a long run shows how far it is. */
const ROUND = 300
const FOLLOWED_MS = 60_000
/** On a machine that does other things too. */
const DEADLINE_MS = 1_200_000

type Deed =
  | { do: 'create' | 'revise'; at: number; hidden: boolean; links: number }
  | { do: 'move'; at: number; to: number }
  | { do: 'delete' | 'undelete' | 'attach'; at: number }
  | { do: 'grant' | 'revoke'; role: number; permission: number; pattern: number }

const ROLES = ['nobody', 'reader']
const PERMISSIONS = ['view', 'view', 'history', 'history', 'post.edit', 'viewdraft']
const PATTERNS = ['$.*', '$.a.*', '$.b.*', '$', '$.b', '*.c', '$.!b.*']
/** What a history begins with, for what nobody may see tells little: `[role, permission, pattern]`, by their places above. */
const BEGINNINGS: readonly (readonly (readonly [number, number, number])[])[] = [
  [],
  [
    [0, 0, 0],
    [0, 2, 0],
  ],
  [
    [0, 0, 0],
    [1, 2, 0],
  ],
  [
    [0, 0, 6],
    [0, 2, 6],
    [1, 0, 0],
    [1, 2, 0],
  ],
  [
    [0, 0, 0],
    [0, 2, 6],
    [1, 2, 1],
  ],
]
const anyPlace = fc.nat(PLACES.length - 1)
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      at: anyPlace,
      hidden: seldom(),
      links: anyPlace,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('revise' as const),
      at: anyPlace,
      hidden: seldom(),
      links: anyPlace,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('move' as const), at: anyPlace, to: anyPlace }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('delete' as const, 'undelete' as const, 'attach' as const),
      at: anyPlace,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('grant' as const, 'grant' as const, 'revoke' as const),
      role: fc.nat(1),
      permission: fc.nat(5),
      pattern: fc.nat(6),
    }),
  },
)
const anyHistory = fc.record({
  begin: fc.nat(BEGINNINGS.length - 1),
  deeds: fc.array(anyDeed, { minLength: 4, maxLength: 14, size: 'max' }),
  /** Up to which part of the history is looked, in hundredths. */
  look: fc.nat(99),
  /** Who looks. */
  who: fc.nat(1),
})

function seldom(): fc.Arbitrary<boolean> {
  return fc.nat(4).map(n => n === 0)
}

suite('rights on the past', test => {
  for (let from = 1; from <= HISTORIES; from += ROUND) {
    const until = Math.min(from + ROUND - 1, HISTORIES)
    test(
      `histories ${from} to ${until} show what the oracle says, and nothing more, on every surface`,
      async () => {
        const together = { minLength: TOGETHER, maxLength: TOGETHER }
        await fc.assert(fc.asyncProperty(fc.array(anyHistory, together), check), {
          numRuns: Math.ceil((until - from + 1) / TOGETHER),
          endOnFailure: true,
        })
      },
      DEADLINE_MS,
    )
  }
})

type History = { begin: number; deeds: Deed[]; look: number; who: number }

async function check(histories: History[]): Promise<void> {
  const open = await testServer()
  let following: Following | null = null
  try {
    following = await follow(open)
    const ann = await putUser(open, 'ann', ['reader'])
    const grants = new Map<string, { role: string; permission: string; pattern: string }>()
    const model = new LogModel()
    const looks: { top: string; position: number; who: number }[] = []
    for (const [n, { begin, deeds, look, who }] of histories.entries()) {
      const top = `wh.h${n}`
      await model.read(open.site.db)
      const from = model.head
      for (const [turn, deed] of [...beginning(begin), ...deeds].entries()) {
        await perform(open, grants, { top, turn, deed })
      }
      await model.read(open.site.db)
      const position = from + Math.ceil((look * (model.head - from)) / 100)
      looks.push({ top, position, who })
    }
    assert.ok(await untilReached(open.site.db, model.head, FOLLOWED_MS))
    const state: AccessState = { grants: [...grants.values()], roles: { ann: ['reader'] } }
    const lookers: Looker[] = [
      { name: 'nobody', token: null, userId: null, may: mayOf(state, null) },
      { name: 'ann', token: ann.token, userId: ann.id, may: mayOf(state, 'ann') },
    ]
    for (const { who, ...look } of looks) {
      await lookAt(open, model, lookers[who] as Looker, look)
    }
  } finally {
    await following?.stop()
    await open.close()
  }
}

function beginning(begin: number): Deed[] {
  const grants = (BEGINNINGS[begin] ?? []).map(([role, permission, pattern]): Deed => {
    return { do: 'grant', role, permission, pattern }
  })
  const pages = [0, 1, 2, 3].map((at): Deed => ({ do: 'create', at, hidden: false, links: 1 }))
  return [...grants, ...pages]
}

/** Does what can be done. */
async function perform(
  open: TestServer,
  grants: Map<string, { role: string; permission: string; pattern: string }>,
  { top, turn, deed }: { top: string; turn: number; deed: Deed },
): Promise<void> {
  const placed = (place: number) => `${top}${PLACES[place]}`
  const document = (links: number, hidden: boolean) =>
    page(`Title ${top.slice(3)}x${turn}`, {
      hidden,
      data: {
        posting: {
          format: 'markdown',
          source: `common [to](/${placed(links).slice(3).replaceAll('.', '/')}/)`,
        },
      },
      tags: { about: [{ '@id': turn % 2 === 0 ? 'even' : 'odd', objClass: 'tag' }] },
    })
  try {
    await change(open.site, AS_ROOT, async it => {
      switch (deed.do) {
        case 'create':
          await createPage(it, {
            path: placed(deed.at),
            document: document(deed.links, deed.hidden),
          })
          return
        case 'revise': {
          const ifMatch = (await pageAt(it, placed(deed.at))).sinceId ?? ''
          const edit = () => document(deed.links, deed.hidden)
          await revisePage(it, placed(deed.at), { ifMatch, edit })
          return
        }
        case 'move':
          await movePage(it, placed(deed.at), placed(deed.to))
          return
        case 'delete':
          await deletePage(it, placed(deed.at))
          return
        case 'undelete':
          await undeletePage(it, placed(deed.at))
          return
        case 'attach': {
          const sha256 = `${Buffer.from(`${top} ${turn}`).toString('hex')}`.padEnd(64, '0')
          const blob = { sha256, sizeBytes: 3, mediaType: 'image/png' }
          await attachBlob(it, placed(deed.at), {
            ...blob,
            name: `f${turn}.png`,
            category: 'public',
          })
          return
        }
        default: {
          const grant = {
            role: ROLES[deed.role] ?? '',
            permission: PERMISSIONS[deed.permission] ?? '',
            pattern: (PATTERNS[deed.pattern] ?? '').replace('$', top).replace('*.c', `${top}.*.c`),
          }
          const key = JSON.stringify(grant)
          await (deed.do === 'grant' ? permitRole : denyRole)(it, grant)
          if (deed.do === 'grant') grants.set(key, grant)
          else grants.delete(key)
        }
      }
    })
  } catch (thrown) {
    if (!isRm3Error(thrown)) throw thrown
    assert.is.not(thrown.code, 'LOG_DAMAGED')
  }
}
