const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const OPEN = 0x7b
const CLOSE = 0x7d
/** Shorter whole numbers are all exact. */
const EXACT_DIGITS = 15

/** How many members all objects of a well-formed JSON text have, repeated ones included; -1 when a number would change. */
export function membersIn(text: string): number {
  let members = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) index = endOfString(text, index + 1)
    else if (code === COLON) members++
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = endOfNumber(text, index)
      if (!keepsNumber(text.slice(index, end))) return -1
      index = end - 1
    }
  }
  return members
}

/** At least as many values as a well-formed JSON text has; at most twice as many and one more. */
export function valuesIn(text: string): number {
  let values = 1
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      index = endOfString(text, index + 1)
      if (index < 0) return values
    } else if (code === COMMA || code === OPEN || code === OPEN_LIST) values++
  }
  return values
}

/**
 * Whether the number read from a JSON literal is the one that was meant.
 *
 * A whole number must be written back digit for digit (9007199254740993 is not); a fraction may lose digits past the
 * 17th, as doubles do; none may become infinite or zero, and -0 is refused.
 */
export function keepsNumber(literal: string): boolean {
  if (literal.length <= EXACT_DIGITS && /^(?:[1-9]\d*|0)$/.test(literal)) return true
  const value = Number(literal)
  if (!Number.isFinite(value) || Object.is(value, -0)) return false
  if (!/[.eE]/.test(literal)) return String(value) === literal
  return value !== 0 || !/^-?[\d.]*[1-9]/.test(literal)
}

/** Index of the quote that closes the string whose first character is at `from`; -1 when none does. */
export function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from)
  while (quote >= 0) {
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return quote
    quote = text.indexOf('"', quote + 1)
  }
  return -1
}

/** Index after the object that begins at `from`, in a text that is well-formed so far; -1 when none begins there or it does not end. */
export function endOfObject(text: string, from: number): number {
  if (text.charCodeAt(from) !== OPEN) return -1
  let depth = 0
  for (let index = from; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) {
      index = endOfString(text, index + 1)
      if (index < 0) return -1
    } else if (code === OPEN) depth++
    else if (code === CLOSE && --depth === 0) return index + 1
  }
  return -1
}

/** Index after the number that begins at `from`. */
function endOfNumber(text: string, from: number): number {
  let index = from + 1
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const inside =
      (code >= ZERO && code <= NINE) ||
      code === 0x2e ||
      (code | 0x20) === 0x65 ||
      code === 0x2b ||
      code === MINUS
    if (!inside) return index
  }
  return index
}
