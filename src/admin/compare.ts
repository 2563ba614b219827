/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** In a comparison: hides what is equal, goes from change to change, brings a field back. Without this script all is there to read. */

const CHANGES = '.lines p.added, .lines p.removed, .lines p.changed'
const FAILED = 'That could not be restored. Are you still logged in, and may you edit this page?'

function start(): void {
  const tools = document.querySelector<HTMLElement>('.compare-tools')
  if (tools === null) return
  tools.hidden = false
  const hide = tools.querySelector<HTMLInputElement>('input[name=hide]')
  hide?.addEventListener('change', () => {
    document.body.classList.toggle('only-changes', hide.checked)
  })
  for (const button of tools.querySelectorAll<HTMLButtonElement>('button[data-step]')) {
    button.addEventListener('click', () => go(Number(button.dataset['step'])))
  }
  document.addEventListener('keydown', event => {
    const isTyping = (event.target as Element).matches('input[type=text], textarea, select')
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'n') go(1)
    if (event.key === 'p') go(-1)
  })
  const { path, from } = tools.dataset
  if (path === undefined || from === undefined) return
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-field]')) {
    button.hidden = false
    button.addEventListener('click', () => void restore(path, from, button))
  }
}

/** Changes that stand together are one. */
function beginnings(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(CHANGES)].filter(
    line => line.previousElementSibling?.matches('.added, .removed, .changed') !== true,
  )
}

let current = -1

function go(step: number): void {
  const all = beginnings()
  current = Math.min(Math.max(current + step, 0), all.length - 1)
  const line = all[current]
  if (line === undefined) {
    tell('Nothing has changed.')
    return
  }
  line.tabIndex = -1
  line.focus()
  line.scrollIntoView({ block: 'center' })
  tell(`Change ${current + 1} of ${all.length}`)
}

function tell(text: string): void {
  const told = document.querySelector('.told')
  if (told !== null) told.textContent = text
}

/** Puts a field of the page, as it is now, back to what it was, as a draft. */
async function restore(path: string, from: string, button: HTMLButtonElement): Promise<void> {
  const pointer = button.dataset['field'] ?? ''
  if (!window.confirm(`Bring “${button.dataset['label']}” back as a draft?`)) return
  tell('Restoring …')
  const page = `/api/pages/${encodeURIComponent(path)}`
  try {
    const session = (await read('/api/session')).value as { csrfToken?: string }
    const old = (await read(`${page}/revisions/${from}`)).value as { document: object }
    const { value: now, etag } = await read(page)
    const operation = { op: valueAt(now, pointer) === undefined ? 'add' : 'replace', path: pointer }
    const value = valueAt(old.document, pointer)
    const patch = value === undefined ? { op: 'remove', path: pointer } : { ...operation, value }
    const answer = await fetch(page, {
      method: 'PATCH',
      headers: {
        'Content-Type': 'application/json-patch+json',
        'If-Match': etag,
        'RM3-Draft': 'true',
        'X-CSRF-Token': session.csrfToken ?? '',
      },
      body: JSON.stringify([patch]),
    })
    if (!answer.ok) return tell(FAILED)
    const made = (await answer.json()) as { revision: number }
    location.assign(`./?revision=${made.revision}`)
  } catch {
    tell(FAILED)
  }
}

async function read(url: string): Promise<{ value: object; etag: string }> {
  const answer = await fetch(url, { headers: { Accept: 'application/json' } })
  if (!answer.ok) throw new Error(String(answer.status))
  return { value: (await answer.json()) as object, etag: answer.headers.get('ETag') ?? '' }
}

function valueAt(document: object, pointer: string): unknown {
  let value: unknown = document
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

start()
