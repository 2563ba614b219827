interface Item {
  star?: { min: number; max: number }
  not?: boolean
  is?: (label: string) => boolean
}

/**
 * Whether a path fits a pattern: the reference `content/pattern.ts` and `access/oracle.ts` are held against.
 *
 * Tries everything and shares nothing with what it checks; takes valid patterns only.
 */
export function fitsPattern(pattern: string, path: string): boolean {
  const items = pattern.split('.').map(readItem)
  const labels = path.split('.')
  const lastPlain = items.findLastIndex(item => !item.star && !item.not)
  const shortened = items.flatMap((_, kept) => {
    const [left, cut] = [items.slice(0, kept), items.slice(kept)]
    const ends = kept === lastPlain + 1 || left.at(-1)?.not === true
    const mayGo = cut.every(item => item.not || item.star?.min === 0)
    if (kept <= lastPlain || !ends || !mayGo || !cut.some(item => item.not)) return []
    const fewest = ({ star, ...item }: Item, i: number) =>
      star && i > lastPlain ? { star: { min: star.min, max: star.min } } : star ? { star } : item
    return [left.map(fewest)]
  })
  return [items, ...shortened].some(form => walk(form, labels, [], []))
}

function walk(items: Item[], labels: string[], run: Item[], stretch: string[]): boolean {
  const fine = () => !run.some(item => item.not) || !fitsPlainly(run, stretch)
  const [item, ...rest] = items
  const [label, ...further] = labels
  if (item === undefined) return label === undefined && fine()
  if (item.star) return counts(item.star, labels.length).some(skip)
  if (label === undefined) return false
  if (item.not) return walk(rest, further, [...run, item], [...stretch, label])
  return item.is?.(label) === true && fine() && walk(rest, further, [], [])

  function skip(n: number): boolean {
    return walk(rest, labels.slice(n), [...run, item as Item], [...stretch, ...labels.slice(0, n)])
  }
}

function fitsPlainly([item, ...rest]: Item[], labels: string[]): boolean {
  if (item === undefined) return labels.length === 0
  if (item.star) {
    return counts(item.star, labels.length).some(n => fitsPlainly(rest, labels.slice(n)))
  }
  return labels[0] !== undefined && !!item.is?.(labels[0]) && fitsPlainly(rest, labels.slice(1))
}

function counts({ min, max }: { min: number; max: number }, most: number): number[] {
  return Array.from({ length: most + 1 }, (_, n) => n).filter(n => n >= min && n <= max)
}

function readItem(text: string): Item {
  if (text === '*') return { star: { min: 0, max: 99 } }
  const [, low = '', comma, high = ''] = /^\*\{(\d*)(,?)(\d*)\}$/.exec(text) ?? []
  if (comma !== undefined) {
    return { star: { min: Number(low), max: comma ? Number(high || 99) : Number(low) } }
  }
  const tests = text.replace('!', '').split('|').map(readTest)
  return { not: text.startsWith('!'), is: label => tests.some(test => test(label)) }
}

function readTest(text: string): (label: string) => boolean {
  const name = text.replace(/[@*%]/g, '')
  const one = (wanted: string) => {
    const any = text.includes('*') ? '[A-Za-z0-9_]*' : ''
    return new RegExp(`^${wanted}${any}$`, text.includes('@') ? 'i' : '')
  }
  if (!text.includes('%')) return label => one(name).test(label)
  const words = name.split('_').filter(word => word !== '')
  return label => words.every(word => label.split('_').some(given => one(word).test(given)))
}
