/** How far a long work is. */
export interface Progress {
  /** @param total at least `done`; 0 when it is not known */
  update(done: number, total: number): void
  /** Takes the line away. */
  end(): void
}

const FIRST_AFTER_MS = 1_000
const AGAIN_AFTER_MS = 200

/** Progress on a line of a terminal, from a second after the start on; silent on anything else. */
export function progressOn(stream: NodeJS.WriteStream, label: string): Progress {
  if (!stream.isTTY) return { update: () => {}, end: () => {} }
  const started = Date.now()
  let shown = 0
  return {
    update: (done, total) => {
      const now = Date.now()
      if (now - started < FIRST_AFTER_MS || now - shown < AGAIN_AFTER_MS) return
      shown = now
      stream.write(`\r\u001b[K${progressLine(label, { done, total, elapsedMs: now - started })}`)
    },
    end: () => {
      if (shown > 0) stream.write('\r\u001b[K')
    },
  }
}

/** The line that is shown, with the time left when it can be told. */
export function progressLine(
  label: string,
  state: { done: number; total: number; elapsedMs: number },
): string {
  const { done, total, elapsedMs } = state
  if (total <= 0) return `${label}: ${done}`
  const percent = Math.floor((100 * Math.min(done, total)) / total)
  const left = done > 0 ? ((total - done) * elapsedMs) / done : Number.NaN
  const eta = Number.isFinite(left) ? `, ${duration(left)} left` : ''
  return `${label}: ${done} of ${total} (${percent} %${eta})`
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
