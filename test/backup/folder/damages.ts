import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../torture/random.ts'

/** What was done to a folder, and the files of which at least one must be named. */
export interface Damage {
  readonly what: string
  readonly files: readonly string[]
}

/** Damages a folder in one way or another, so that it is not what it was. */
export function damageSomething(dir: string, random: Random): Damage {
  const names = readdirSync(dir).sort()
  const pick = () => names[random.below(names.length)] ?? ''
  const name = pick()
  const path = join(dir, name)
  const bytes = readFileSync(path)
  const at = random.below(Math.max(1, bytes.length))
  switch (random.below(8)) {
    case 0: {
      const bit = random.below(8)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      writeFileSync(path, bytes)
      return { what: `flip bit ${bit} of byte ${at} of ${name}`, files: [name] }
    }
    case 1:
      writeFileSync(path, bytes.subarray(0, at))
      return { what: `cut ${name} at ${at}`, files: [name] }
    case 2:
      writeFileSync(
        path,
        Buffer.concat([bytes, Buffer.from(['\n', ' ', 'x', '\0'][random.below(4)] ?? '')]),
      )
      return { what: `extend ${name}`, files: [name] }
    case 3:
      return swap(dir, name, pick())
    case 4:
      rmSync(path)
      return { what: `delete ${name}`, files: [name] }
    case 5: {
      const copy = `copy-of-${name}`
      cpSync(path, join(dir, copy))
      return { what: `copy ${name}`, files: [copy] }
    }
    case 6: {
      const other = `x${name}`
      renameSync(path, join(dir, other))
      return { what: `rename ${name}`, files: [name] }
    }
    default:
      writeFileSync(join(dir, `added-${at}`), bytes)
      return { what: 'add a file', files: [`added-${at}`] }
  }
}

function swap(dir: string, one: string, other: string): Damage {
  const [first, second] = [readFileSync(join(dir, one)), readFileSync(join(dir, other))]
  if (first.equals(second)) {
    rmSync(join(dir, one))
    return { what: `delete ${one}`, files: [one] }
  }
  writeFileSync(join(dir, one), second)
  writeFileSync(join(dir, other), first)
  return { what: `swap ${one} and ${other}`, files: [one, other] }
}
