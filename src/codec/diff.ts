import { pairUp, type Step } from './array-steps.ts'
import { commonRuns } from './common-runs.ts'
import type { Json, JsonObject } from './json.ts'
import { isContainer, measure } from './json-compare.ts'
import type { Operation } from './patch.ts'
import { escapeToken } from './pointer.ts'

/** An operation's JSON without its path and value. */
const OPERATION_BYTES = 24

interface Output {
  readonly operations: Operation[]
  /** About how many bytes all of `operations` take. */
  bytes: number
}

/**
 * The operations (add, remove, replace; RFC 6902) that make `after` out of `before`, applied in order; [] when equal.
 *
 * Objects are compared by key, arrays by longest common subsequence. Where the operations inside a value would take
 * more bytes than the value, it is replaced whole. Neither side is changed; values in the result are parts of `after`.
 */
export function diff(before: Json, after: Json): Operation[] {
  const output: Output = { operations: [], bytes: 0 }
  compare(before, after, '', output)
  return output.operations
}

function compare(before: Json, after: Json, path: string, output: Output): void {
  if (before === after) return
  if (
    !isContainer(before) ||
    !isContainer(after) ||
    Array.isArray(before) !== Array.isArray(after)
  ) {
    emit(output, { op: 'replace', path, value: after }, after)
    return
  }
  const { bytes } = output
  const { length } = output.operations
  if (Array.isArray(before)) compareArrays(before, after as Json[], path, output)
  else compareObjects(before, after as JsonObject, path, output)

  const nested = output.bytes - bytes
  if (nested === 0) return
  const whole = OPERATION_BYTES + path.length + measure(after, nested)
  if (whole >= nested) return
  output.operations.length = length
  output.bytes = bytes
  emit(output, { op: 'replace', path, value: after }, after)
}

function compareObjects(before: JsonObject, after: JsonObject, path: string, output: Output): void {
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key))
      emit(output, { op: 'remove', path: `${path}/${escapeToken(key)}` })
  }
  for (const key of Object.keys(after)) {
    const value = after[key] as Json
    const memberPath = `${path}/${escapeToken(key)}`
    if (Object.hasOwn(before, key)) compare(before[key] as Json, value, memberPath, output)
    else emit(output, { op: 'add', path: memberPath, value }, value)
  }
}

function compareArrays(
  before: readonly Json[],
  after: readonly Json[],
  path: string,
  output: Output,
): void {
  let from = 0
  let to = 0
  for (const run of commonRuns(before, after)) {
    const steps = pairUp(before.slice(from, run.from), after.slice(to, run.to))
    writeSteps(steps, `${path}/`, to, output)
    from = run.from + run.length
    to = run.to + run.length
  }
}

/** Left to right, so that all that stands before `at` is as in `after` already. */
function writeSteps(steps: readonly Step[], path: string, at: number, output: Output): void {
  let index = at
  for (const step of steps) {
    const itemPath = `${path}${index}`
    switch (step.type) {
      case 'pair':
        compare(step.before, step.after, itemPath, output)
        index++
        break
      case 'add':
        emit(output, { op: 'add', path: itemPath, value: step.after }, step.after)
        index++
        break
      case 'remove':
        emit(output, { op: 'remove', path: itemPath })
        break
    }
  }
}

function emit(output: Output, operation: Operation, value?: Json): void {
  output.operations.push(operation)
  const bytes = value === undefined ? 0 : measure(value, Number.MAX_SAFE_INTEGER)
  output.bytes += OPERATION_BYTES + operation.path.length + bytes
}
