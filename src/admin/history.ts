/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Keys for the list of revisions: through it, compare two, restore one. Without this script links and forms do. */

const LIST = '#revisions'
const ENTRIES = 'li[data-revision]'
const DENIED = 'That could not be restored. Are you still logged in, and may you edit this page?'

function start(): void {
  const list = document.querySelector<HTMLElement>(LIST)
  const entries = [...(list?.querySelectorAll<HTMLElement>(ENTRIES) ?? [])]
  if (list === null || entries.length === 0) return
  for (const entry of entries) entry.tabIndex = -1
  const [first] = entries
  if (first !== undefined) first.tabIndex = 0
  document.querySelector('.keys')?.removeAttribute('hidden')
  const history = new RevisionList(list, entries)
  list.addEventListener('keydown', event => history.onKey(event))
  document.addEventListener('keydown', event => history.onKeyElsewhere(event))
}

class RevisionList {
  readonly #list: HTMLElement
  readonly #entries: readonly HTMLElement[]
  #picked: HTMLElement | null = null

  constructor(list: HTMLElement, entries: readonly HTMLElement[]) {
    this.#list = list
    this.#entries = entries
  }

  onKey(event: KeyboardEvent): void {
    const entry = (event.target as Element).closest<HTMLElement>(ENTRIES)
    if (entry === null || isForOthers(event)) return
    const done = this.#act(event, entry)
    if (done) event.preventDefault()
  }

  /** From anywhere on the page an arrow leads into the list. */
  onKeyElsewhere(event: KeyboardEvent): void {
    const isElsewhere = event.target === document.body || event.target === document.documentElement
    if (!isElsewhere || isForOthers(event) || event.key !== 'ArrowDown') return
    this.#go(this.#shown()[0])
    event.preventDefault()
  }

  #act({ key, target }: KeyboardEvent, entry: HTMLElement): boolean {
    const shown = this.#shown()
    const at = shown.indexOf(entry)
    if (key === 'ArrowDown') return this.#go(shown[at + 1])
    if (key === 'ArrowUp') return this.#go(shown[at - 1])
    if (key === 'Home') return this.#go(shown[0])
    if (key === 'End') return this.#go(shown.at(-1))
    if (key === 'c') return this.#pick(entry)
    if (key === 'r') return this.#restore(entry)
    if (key === 'Enter' && target === entry) return follow(entry.dataset['url'])
    return false
  }

  /** Entries that are not folded away. */
  #shown(): HTMLElement[] {
    return this.#entries.filter(entry => entry.closest('details:not([open])') === null)
  }

  #go(entry: HTMLElement | undefined): boolean {
    if (entry === undefined) return true
    for (const one of this.#entries) one.tabIndex = one === entry ? 0 : -1
    entry.focus()
    entry.scrollIntoView({ block: 'nearest' })
    return true
  }

  #pick(entry: HTMLElement): boolean {
    const form = document.querySelector<HTMLFormElement>('#compare')
    if (form === null || entry.dataset['url'] === undefined) {
      tell('This one has no content to compare.')
      return true
    }
    if (this.#picked === null || this.#picked === entry) {
      this.#picked?.classList.remove('picked')
      this.#picked = this.#picked === entry ? null : entry
      this.#picked?.classList.add('picked')
      const revision = entry.dataset['revision']
      tell(this.#picked ? `Revision ${revision} is chosen. Choose the other one with c.` : '')
      return true
    }
    const both = [this.#picked, entry].map(one => Number(one.dataset['revision']))
    const [from, to] = [Math.min(...both), Math.max(...both)]
    for (const [name, value] of Object.entries({ from, to })) {
      const radio = form.querySelector<HTMLInputElement>(`input[name=${name}][value="${value}"]`)
      if (radio !== null) radio.checked = true
    }
    form.submit()
    return true
  }

  #restore(entry: HTMLElement): boolean {
    const path = this.#list.dataset['restore']
    const { revision, url } = entry.dataset
    if (path === undefined || revision === undefined || url === undefined) return false
    const asked = `Bring revision ${revision} back as a draft? Readers see it when you publish it.`
    if (window.confirm(asked)) void restore(path, Number(revision))
    return true
  }
}

function isForOthers(event: KeyboardEvent): boolean {
  const isTyping = (event.target as Element).matches('input:not([type=radio]), textarea, select')
  return isTyping || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented
}

function follow(url: string | undefined): boolean {
  if (url === undefined) return false
  location.assign(url)
  return true
}

function tell(text: string): void {
  const told = document.querySelector('.told')
  if (told !== null) told.textContent = text
}

async function restore(path: string, revision: number): Promise<void> {
  tell('Restoring …')
  try {
    const session = await fetch('/api/session', { headers: { Accept: 'application/json' } })
    const { csrfToken } = (await session.json()) as { csrfToken?: string }
    const answer = await fetch(`/api/pages/${encodeURIComponent(path)}/restore`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrfToken ?? '' },
      body: JSON.stringify({ revision, draft: true }),
    })
    if (!answer.ok) return tell(DENIED)
    const made = (await answer.json()) as { revision: number }
    location.assign(`./?revision=${made.revision}`)
  } catch {
    tell(DENIED)
  }
}

start()
