import type { StoredBlob } from '../blobs/store.ts'
import { addUser } from '../commands/accounts.ts'
import { attachBlob } from '../commands/blobs.ts'
import type { Change } from '../commands/change.ts'
import { createPage, deletePage, movePage, pageAt, revisePage } from '../commands/pages.ts'
import { assignUser, permitRole } from '../commands/rights.ts'
import { type DemoText, demoDocument } from './documents.ts'
import * as pages from './pages.ts'
import { type DemoPicture, PICTURES } from './pictures.ts'
import * as posts from './posts.ts'

/** Who does something in the demonstration: root, or one of its users. */
export type Person = 'root' | 'admin' | 'mara' | 'jonas'

/** Keeps the bytes of a picture. */
export type KeepBlob = (bytes: Buffer) => Promise<StoredBlob>

/** One change of the demonstration's history. */
export interface Scene {
  readonly daysAgo: number
  readonly who: Person
  readonly note: string | null
  readonly play: (change: Change, keep: KeepBlob) => Promise<unknown>
}

const ROOT_PERMISSIONS = [
  ...['view', 'viewdraft', 'history', 'grant'],
  ...['post', 'user', 'comment'].flatMap(kind =>
    ['create', 'edit', 'delete', 'submit'].map(verb => `${kind}.${verb}`),
  ),
]
const EDITOR_PERMISSIONS = ['viewdraft', 'post.create', 'post.edit', 'post.submit']
const EDITOR_PATTERNS = ['wh.blog.*', 'wh.images.*']

/** The history of the demonstration site, oldest first. */
export const SCENES: readonly Scene[] = [
  scene(41, 'root', 'set up', async it => {
    await create(it, 'wh', pages.FRONT_FIRST)
    await create(it, 'wh.users', pages.PEOPLE)
  }),
  scene(41, 'root', 'set up', permitAll),
  scene(41, 'root', 'set up', it =>
    addUser(it, { login: 'admin', fullName: 'Site Admin', profile: 'Looks after everything.' }),
  ),
  scene(41, 'root', null, it => assign(it, 'admin', 'root')),
  scene(40, 'admin', 'our two authors', async it => {
    await addUser(it, { login: 'mara', fullName: 'Mara Lind', profile: 'Writes, and rewrites.' })
    await addUser(it, {
      login: 'jonas',
      fullName: 'Jonas Okoro',
      profile: 'Reads what Mara writes.',
    })
  }),
  scene(40, 'admin', null, async it => {
    await assign(it, 'mara', 'editor')
    await assign(it, 'jonas', 'editor')
  }),
  scene(39, 'admin', 'somewhere to begin', it => revise(it, 'wh', pages.FRONT_SECOND)),
  scene(39, 'admin', null, it => create(it, 'wh.blog', pages.BLOG)),
  scene(38, 'admin', null, it => create(it, 'wh.news', pages.NEWS)),
  scene(38, 'admin', null, it => create(it, 'wh.about_us', pages.ABOUT)),
  scene(36, 'mara', 'first post', it =>
    create(it, 'wh.blog.a_site_that_remembers', posts.REMEMBER_FIRST),
  ),
  scene(35, 'jonas', 'they are not copies', it =>
    revise(it, 'wh.blog.a_site_that_remembers', posts.REMEMBER_SECOND),
  ),
  scene(30, 'mara', 'what happens when you save', it =>
    revise(it, 'wh.blog.a_site_that_remembers', posts.REMEMBER_THIRD),
  ),
  scene(24, 'mara', null, it => create(it, 'wh.blog.reading_yesterdays_site', posts.PAST_FIRST)),
  scene(23, 'jonas', 'menus and rights go back too', it =>
    revise(it, 'wh.blog.reading_yesterdays_site', posts.PAST_SECOND),
  ),
  scene(17, 'jonas', null, it =>
    create(it, 'wh.blog.drafts_and_second_thoughts', posts.DRAFTS_FIRST),
  ),
  scene(16, 'admin', 'the blog has the news', it => deletePage(it, 'wh.news', '/blog/')),
  scene(16, 'admin', 'a shorter address', it => movePage(it, 'wh.about_us', 'wh.about')),
  scene(12, 'admin', null, it => create(it, 'wh.images', pages.IMAGES)),
  ...PICTURES.map((picture, index) =>
    scene(11 - index, 'mara', 'drawn today', (it, keep) => addPicture(it, keep, picture)),
  ),
  scene(9, 'admin', null, it => create(it, 'wh.try_it', pages.TRY_IT)),
  scene(6, 'mara', 'bringing back', it =>
    revise(it, 'wh.blog.drafts_and_second_thoughts', posts.DRAFTS_SECOND),
  ),
  scene(5, 'admin', 'tell of the pictures, and of this page’s past', it =>
    revise(it, 'wh', pages.FRONT),
  ),
  scene(2, 'mara', 'to be continued', it =>
    create(it, 'wh.blog.the_right_to_be_forgotten', posts.ERASING_DRAFT, true),
  ),
]

function scene(daysAgo: number, who: Person, note: string | null, play: Scene['play']): Scene {
  return { daysAgo, who, note, play }
}

async function permitAll(it: Change): Promise<void> {
  for (const permission of ROOT_PERMISSIONS) {
    await permitRole(it, { role: 'root', permission, pattern: '*' })
  }
  for (const permission of ['view', 'history']) {
    await permitRole(it, { role: 'nobody', permission, pattern: 'wh.!users.*' })
  }
  for (const pattern of EDITOR_PATTERNS) {
    for (const permission of EDITOR_PERMISSIONS) {
      await permitRole(it, { role: 'editor', permission, pattern })
    }
  }
}

async function assign(it: Change, login: string, role: string): Promise<void> {
  await assignUser(it, (await pageAt(it, `wh.users.${login}`)).id, role)
}

function create(it: Change, path: string, text: DemoText, draft = false): Promise<unknown> {
  return createPage(it, { path, document: demoDocument(text), draft })
}

async function revise(it: Change, path: string, text: DemoText): Promise<void> {
  const { sinceId } = await pageAt(it, path)
  await revisePage(it, path, { ifMatch: sinceId ?? '', edit: () => demoDocument(text) })
}

async function addPicture(it: Change, keep: KeepBlob, picture: DemoPicture): Promise<void> {
  const { label, text, name, bytes } = picture
  const path = `wh.images.${label}`
  await createPage(it, { path, document: demoDocument(text) })
  await attachBlob(it, path, { ...(await keep(bytes())), name, category: 'public' })
}
