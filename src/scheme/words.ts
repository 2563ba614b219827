/** Bytes in words: `1 byte`, `640 bytes`, `12 kB`, `3.4 MB`, `2.1 GB`. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1_000) return counted(bytes, 'byte')
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`
}

/** A number of seconds in words people use: `40 seconds`, `3 minutes`, `2 hours`; rounded up. */
export function durationInWords(seconds: number): string {
  if (seconds < 90) return counted(Math.max(1, Math.ceil(seconds)), 'second')
  if (seconds < 90 * 60) return counted(Math.ceil(seconds / 60), 'minute')
  return counted(Math.ceil(seconds / 3600), 'hour')
}

/** `1 comment`, `2 comments`; `1 entity`, `2 entities` where the plural is given. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`
}
