import type { DemoText } from './documents.ts'

/** The front page as it was first, and as it is. */
export const FRONT_FIRST: DemoText = {
  proto: 'index',
  title: 'Hello',
  abstract: 'A new site.',
  text: 'Nothing here yet. Come back on Monday.',
}

export const FRONT_SECOND: DemoText = {
  proto: 'index',
  title: 'Welcome',
  abstract: 'A demonstration of rm3, the site that remembers.',
  text: `
This is a demonstration of **rm3**. Look around: everything on it may be changed, and nothing you do here can be lost.

- [The blog](/blog/) explains what a history is good for.
- [Try it](/try_it/) says how to edit a page and how to see what you did.
`,
  feed: { format: 'indexfeed', query: 'dir', sort: 'path', partial: 'card' },
}

export const FRONT: DemoText = {
  ...FRONT_SECOND,
  text: `
This is a demonstration of **rm3**, a site that remembers. Look around: everything on it may be changed, and nothing you do
here can be lost.

- [The blog](/blog/) explains what a history is good for, by having one.
- [Try it](/try_it/) says how to edit a page and how to see what you did.
- [Images](/images/) holds a few pictures.

This page began as a single line. Its history still has that line, and who replaced it, and when.
`,
}

export const PEOPLE: DemoText = {
  proto: 'index',
  title: 'People',
  abstract: 'Everyone who can log in.',
  text: 'Accounts are pages too: what became of them, which roles they had and when is in their history.',
}

export const BLOG: DemoText = {
  proto: 'blogindex',
  title: 'Blog',
  abstract: 'Notes on keeping everything.',
  text: 'Short notes about what this site does differently. Each has been rewritten at least once, in the open.',
  navbar: true,
}

export const IMAGES: DemoText = {
  proto: 'imageindex',
  title: 'Images',
  abstract: 'A few pictures, drawn for this site.',
  text: `
A picture is a page with a file. The file is kept under the SHA-256 of its bytes, so the same picture is stored once however
often it is used, and an old revision still finds exactly the file that it was made with.
`,
  navbar: true,
}

export const TRY_IT: DemoText = {
  proto: 'base',
  title: 'Try it',
  abstract: 'How to edit a page, and how to see that you did.',
  text: `
You were shown a password when this site was first started; the user is **admin**. Has it scrolled away? In the folder
where you started the site, \`npx rm3admin passwd admin\` makes another. All commands here are given in that folder.

## Make a token

Programs log in with a token. It is shown once and stored only as a hash:

\`\`\`sh
npx rm3admin token create admin --label trying
TOKEN=rm3_…
\`\`\`

## Change this page

Ask for the page first. The \`ETag\` of the answer says which revision you have seen; send it back as \`If-Match\`, and your change is
made only if nobody else was faster:

\`\`\`sh
SITE=http://127.0.0.1:4000     # where you see this page
curl -i $SITE/api/pages/wh.try_it
curl -X PATCH $SITE/api/pages/wh.try_it \\
  -H "Authorization: Bearer $TOKEN" -H 'If-Match: "…"' \\
  -H 'Content-Type: application/merge-patch+json' \\
  -H 'RM3-Note: trying it out' \\
  -d '{"summary": {"title": "I was here"}}'
\`\`\`

Send the same again, and it is refused: you did not start from what is there now. That is how two editors never overwrite
each other unawares.

## See what you did

\`\`\`sh
curl $SITE/api/pages/wh.try_it/revisions
npx rm3dump wh.try_it -l -f
\`\`\`

Your note is there, your name and the time; *History* below this page shows the same. So is the page as it was before, whole:

\`\`\`sh
npx rm3dump wh.try_it -f --at revision:1
\`\`\`

## Break something

Delete a page with \`npx rm3rm\`, move one with \`npx rm3mv\`, take a right away with \`npx rm3admin deny\`. Then ask
\`npx rm3admin explain nobody view wh.blog --at position:1\` what was true before. Whatever you find in the past can be brought back.
`,
  navbar: true,
}

/** A page that was moved: this is where its address led at first. */
export const ABOUT: DemoText = {
  proto: 'base',
  title: 'About this site',
  abstract: 'What it is, and where it was.',
  text: `
This page once was at [/about_us/](/about_us/). Follow that link and you come back here: an address that worked once goes on working,
because rm3 knows where the page went.

The demonstration was made by the same commands that you use, spread over some past weeks. You may delete all of it, or begin
with an empty site: \`npm start -- --no-demo\` in a folder of its own.
`,
}

/** A page that was deleted. */
export const NEWS: DemoText = {
  proto: 'base',
  title: 'News',
  abstract: 'Now in the blog.',
  text: 'News will appear here. (They did not: the blog took over, and this page was deleted with a redirect.)',
}
