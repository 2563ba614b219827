import type { DemoText } from './documents.ts'

const REMEMBER = {
  proto: 'blog',
  title: 'A site that remembers',
  tags: ['history'],
} as const

/** The first post: a hasty note, a correction by somebody else, a careful version. */
export const REMEMBER_FIRST: DemoText = {
  ...REMEMBER,
  abstract: 'Why nothing is overwritten here.',
  text: `
Most sites keep the last version of a page. This one keeps all of them.

If you save a page a hundred times, there are one hundred copies of it.
`,
}

export const REMEMBER_SECOND: DemoText = {
  ...REMEMBER,
  abstract: 'Why nothing is overwritten here.',
  text: `
Most sites keep the last version of a page. This one keeps all of them.

If you save a page a hundred times, there are one hundred revisions of it. They are not copies: each holds only what changed,
so a corrected word costs about as much room as the word.
`,
}

export const REMEMBER_THIRD: DemoText = {
  ...REMEMBER,
  abstract: 'Why nothing is overwritten here, and what that costs.',
  text: `
Most sites keep the last version of a page. This one keeps all of them.

When you save, rm3 does not replace the page. It writes down *what happened*: who changed what, when, and why if they said so. That
list, the **log**, is the site. The page you are reading was put together from it a moment ago, and could be again if every other
table were thrown away.

If you save a page a hundred times, there are one hundred revisions of it. They are not copies: each holds only what changed,
so a corrected word costs about as much room as the word.

This post has three revisions by two people. The first was wrong about the copies. Look it up: being able to is the point.
`,
}

const PAST = {
  proto: 'blog',
  title: 'Reading yesterday’s site',
  tags: ['history', 'time'],
} as const

/** The second post, in two versions. */
export const PAST_FIRST: DemoText = {
  ...PAST,
  abstract: 'Any page, as it was at any moment.',
  text: 'Add `?at=` and a time to the address of a page in the API, and you get the page as it was then.',
}

export const PAST_SECOND: DemoText = {
  ...PAST,
  abstract: 'Any page, any menu and any right, as it was at any moment.',
  text: `
Every event has a place in the log: 1, 2, 3 and so on, without a gap. Such a **position** is a date that cannot be argued about. Ask for
a page with \`?at=position:20\` and you get it as it was when twenty things had happened; ask with an instant, and rm3 looks up which
position that was.

It is not only the page that goes back. The list of posts, the menu, the tags and the rights are all as they were, because all
of them follow from the same log.

May everybody see everything that ever was? No. Who reads the past needs the right to read it *today*: taking something off the
site takes it away from readers, and keeps it for those who may look into its history.
`,
}

const DRAFTS = {
  proto: 'blog',
  title: 'Drafts, and second thoughts',
  tags: ['editing'],
} as const

/** The third post, in two versions. */
export const DRAFTS_FIRST: DemoText = {
  ...DRAFTS,
  abstract: 'A draft is a revision that nobody has published yet.',
  text: `
A draft is a revision like any other, only that readers do not see it. Several may stand side by side. Publishing one
copies nothing: it says which revision is shown from now on.
`,
}

export const DRAFTS_SECOND: DemoText = {
  ...DRAFTS,
  abstract:
    'A draft is a revision that nobody has published yet. An old revision is one that nobody shows any more.',
  text: `
A draft is a revision like any other, only that readers do not see it. Several may stand side by side. Publishing one
copies nothing: it says which revision is shown from now on.

Bringing an old revision back works the same way. It becomes the newest one, with a note of where it came from, and what was there in
between stays in the history. There is no step that cannot be taken back, so there is no need to be afraid of the button.

Editors of this site see one draft that you do not, until you log in: the next post, about erasing.
`,
}

/** A post that was never published. */
export const ERASING_DRAFT: DemoText = {
  proto: 'blog',
  title: 'The right to be forgotten',
  abstract: 'A site that keeps everything must be able to forget.',
  text: `
(Draft. Jonas: say what stays when something is erased.)

A history is a promise to readers, and it may be a burden to people who are in it. Deleting a page is not enough then, since its
history stays.
`,
  tags: ['history'],
}
