/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Keys for the list of revisions: through it, compare two, restore one. Without this script links and forms do. */

const LIST = '#revisions'
const ENTRIES = 'li[data-revision]'

function start(): void {
  const list = document.querySelector<HTMLElement>(LIST)
  const entries = [...(list?.querySelectorAll<HTMLElement>(ENTRIES) ?? [])]
  if (list === null || entries.length === 0) return
  for (const entry of entries) entry.tabIndex = -1
  const [first] = entries
  if (first !== undefined) first.tabIndex = 0
  document.querySelector('.keys')?.removeAttribute('hidden')
  const history = new RevisionList(entries)
  list.addEventListener('keydown', event => history.onKey(event))
  document.addEventListener('keydown', event => history.onKeyElsewhere(event))
}

class RevisionList {
  readonly #entries: readonly HTMLElement[]
  #picked: HTMLElement | null = null

  constructor(entries: readonly HTMLElement[]) {
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
    if (key === 'r') return follow(entry.dataset['restore'])
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

start()
