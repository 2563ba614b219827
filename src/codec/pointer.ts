/** `tokens` as an RFC 6901 pointer; [] is '', the whole document. */
export function pointerOf(tokens: readonly (string | number)[]): string {
  let pointer = ''
  for (const token of tokens) pointer += `/${escapeToken(token)}`
  return pointer
}

/** One reference token as it stands in a pointer: `~` is `~0` and `/` is `~1`. */
export function escapeToken(token: string | number): string {
  if (typeof token === 'number') return String(token)
  if (!token.includes('~') && !token.includes('/')) return token
  return token.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The reference tokens of a pointer, or null when `pointer` is not one (RFC 6901 section 3). '' is []. */
export function tokensOf(pointer: string): string[] | null {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) return null
  const tokens = pointer.slice(1).split('/')
  if (!pointer.includes('~')) return tokens
  if (/~(?![01])/.test(pointer)) return null
  return tokens.map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}
