/** A longer segment is cut further, at a sentence, a tag or a space. */
const SEGMENT_CHARS = 400
/** A segment without any of these is cut anywhere from here on. */
const UNBROKEN_CHARS = 1600
/** A place for a cut that is closer than this to the one before it is none. */
const APART_CHARS = 24

const SENTENCE_END = /[.!?…]["'”’»)\]]*\s+|[。！？]|<\/(?:p|div|li|ul|ol|h[1-6]|tr|td|th|section)>/g
const TAG_END = />/g
const CUTS = [sentenceCuts, tagCuts, wordCuts]

/**
 * `text` in pieces whose concatenation is `text`: lines with their newline; a long line in sentences, else at tags,
 * else at some of its spaces, else anywhere.
 *
 * Whether there is a cut depends only on the few characters before it (as in content-defined chunking), so an edit
 * changes the pieces it touches and no later ones. Surrogate pairs stay whole. '' is [].
 */
export function cutText(text: string): string[] {
  const pieces: string[] = []
  let from = 0
  while (from < text.length) {
    const newline = text.indexOf('\n', from)
    const until = newline < 0 ? text.length : newline + 1
    cutFurther(text.slice(from, until), 0, pieces)
    from = until
  }
  return pieces
}

/** Pushes `piece`, cut at the places of the first level that has any, and those cut at the next. */
function cutFurther(piece: string, level: number, pieces: string[]): void {
  const cutsOf = CUTS[level]
  if (piece.length <= SEGMENT_CHARS) pieces.push(piece)
  else if (cutsOf === undefined) pieces.push(...slices(piece))
  else {
    let from = 0
    for (const cut of [...cutsOf(piece), piece.length]) {
      if (cut > from) cutFurther(piece.slice(from, cut), level + 1, pieces)
      from = cut
    }
  }
}

/** After sentences, but not where another one ended just before. */
function sentenceCuts(piece: string): number[] {
  const cuts: number[] = []
  let last = -APART_CHARS
  for (const { index, 0: end } of piece.matchAll(SENTENCE_END)) {
    const cut = index + end.length
    if (cut - last >= APART_CHARS) cuts.push(cut)
    last = cut
  }
  return cuts
}

function tagCuts(piece: string): number[] {
  return Array.from(piece.matchAll(TAG_END), ({ index }) => index + 1)
}

/** After about one space in 16: those whose last characters have a hash that says so. */
function wordCuts(piece: string): number[] {
  return hashCuts(piece, 28, code => code === 0x20 || code === 0x09)
}

/** About every 128th place of a piece that nothing else can cut; where even that finds none, at fixed steps. */
function slices(piece: string): string[] {
  if (piece.length <= UNBROKEN_CHARS) return [piece]
  const pieces: string[] = []
  let from = 0
  for (const cut of [...hashCuts(piece, 25, () => true), piece.length]) {
    for (; cut - from > UNBROKEN_CHARS; from = afterPair(piece, from + UNBROKEN_CHARS)) {
      pieces.push(piece.slice(from, afterPair(piece, from + UNBROKEN_CHARS)))
    }
    if (cut > from) pieces.push(piece.slice(from, cut))
    from = Math.max(from, cut)
  }
  return pieces
}

/** Places after a character that `allows` them and where the hash of the last 8 units is 0 above `shift` bits. */
function hashCuts(piece: string, shift: number, allows: (code: number) => boolean): number[] {
  const cuts: number[] = []
  let last = -APART_CHARS
  let hash = 0
  for (let index = 0; index < piece.length; index++) {
    const code = piece.charCodeAt(index)
    hash = ((hash << 4) + Math.imul(code, 0x9e3779b1)) | 0
    if (hash >>> shift !== 0 || !allows(code) || splitsPair(piece, index + 1)) continue
    if (index + 1 - last >= APART_CHARS) cuts.push(index + 1)
    last = index + 1
  }
  return cuts
}

function afterPair(piece: string, at: number): number {
  return splitsPair(piece, at) ? at + 1 : at
}

/** Whether a cut before `at` would part the halves of a surrogate pair. */
function splitsPair(piece: string, at: number): boolean {
  return isHalf(piece.charCodeAt(at - 1), 0xd800) && isHalf(piece.charCodeAt(at), 0xdc00)
}

function isHalf(code: number, first: number): boolean {
  return (code & 0xfc00) === first
}
