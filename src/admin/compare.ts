/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** In a comparison: hides what is equal, and goes from change to change. Without this script all is there to read. */

const CHANGES = ['added', 'removed', 'changed', 'moved'].map(kind => `.lines p.${kind}`).join()

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
}

/** Changes that stand together are one. */
function beginnings(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(CHANGES)].filter(
    line => line.previousElementSibling?.matches(CHANGES) !== true,
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

start()
