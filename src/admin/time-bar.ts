/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** A slider through the time of the site in the banner of the past, with marks where changes are dense. Without this script a day is chosen. */

interface Stretch {
  readonly from: string
  readonly until: string
  readonly position: number
  readonly count: number
}

const STRETCHES = 80

async function start(): Promise<void> {
  const form = document.querySelector<HTMLFormElement>('form.time')
  if (form === null) return
  const answer = await fetch(`/api/changes/density?stretches=${STRETCHES}`)
  if (!answer.ok) return
  const { stretches } = (await answer.json()) as { stretches: Stretch[] }
  if (stretches.some(({ count }) => count > 0))
    form.closest('aside')?.append(barOf(form, stretches))
}

function barOf(form: HTMLFormElement, stretches: readonly Stretch[]): HTMLElement {
  const bar = document.createElement('div')
  bar.className = 'time-bar'
  const slider = document.createElement('input')
  slider.type = 'range'
  slider.min = '0'
  slider.max = String(stretches.length - 1)
  slider.value = String(placeOf(stretches, Number(form.dataset['position'])))
  slider.setAttribute('aria-label', 'Time of the site; Enter goes there')
  const said = document.createElement('output')
  const format = formatIn(form.dataset['zone'] ?? 'UTC')
  const begun = slider.value
  // a stretch has many moments: where nothing was chosen yet the one that is shown is told, as above
  const shown = form.closest('aside')?.querySelector('time')?.textContent ?? null
  const say = () => {
    const isBegun = slider.value === begun && shown !== null
    const text = isBegun ? shown : wordsOf(format, stretches[Number(slider.value)])
    said.textContent = text
    slider.setAttribute('aria-valuetext', text)
  }
  say()
  slider.addEventListener('input', say)
  // a key moves it step by step: only when it is let go or left the page is loaded
  const go = () => {
    if (slider.value !== begun) goTo(stretches[Number(slider.value)])
  }
  slider.addEventListener('pointerup', go)
  slider.addEventListener('blur', go)
  slider.addEventListener('keydown', event => {
    if (event.key === 'Enter') go()
  })
  bar.append(marksOf(stretches), slider, said)
  return bar
}

/** How dense changes are; the slider says it in words. */
function marksOf(stretches: readonly Stretch[]): HTMLElement {
  const marks = document.createElement('div')
  marks.className = 'marks'
  marks.setAttribute('aria-hidden', 'true')
  const most = Math.max(1, ...stretches.map(({ count }) => count))
  for (const { count } of stretches) {
    const mark = document.createElement('i')
    // few changes beside many are seen too
    mark.dataset['height'] = String(count === 0 ? 0 : Math.ceil(10 * Math.sqrt(count / most)))
    marks.append(mark)
  }
  return marks
}

function placeOf(stretches: readonly Stretch[], position: number): number {
  const place = stretches.findIndex(stretch => stretch.position >= position)
  return place < 0 ? stretches.length - 1 : place
}

/** As the server writes instants. */
function formatIn(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'long', day: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  })
}

function wordsOf(format: Intl.DateTimeFormat, stretch: Stretch | undefined): string {
  if (stretch === undefined) return ''
  const changes = `${stretch.count} ${stretch.count === 1 ? 'change' : 'changes'}`
  return `${format.format(Date.parse(stretch.until)).replace(' at ', ', ')}: ${changes}`
}

function goTo(stretch: Stretch | undefined): void {
  if (stretch === undefined) return
  const url = new URL(location.href)
  url.searchParams.delete('revision')
  url.searchParams.set('at', `position:${stretch.position}`)
  location.assign(url)
}

void start()
