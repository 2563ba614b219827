import type { Db } from '../../src/pg/db.ts'

/** How PostgreSQL would run a statement, as far as tests ask. */
export interface Plan {
  readonly statement: string
  /** Tables that are read from end to end. */
  readonly scanned: readonly string[]
  /** Tables whose rows are sorted, wholly or in part. */
  readonly sorted: readonly string[]
  readonly cost: number
}

interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Total Cost': number
  readonly Plans?: readonly Node[]
}

/** A `Db` that runs nothing: each statement is explained with its values, and gives no row. */
export function explaining(db: Db, plans: Plan[]): Db {
  return {
    script: () => Promise.reject(new Error('scripts are not explained')),
    transaction: work => work(explaining(db, plans)),
    rows: async (text, values) => {
      const [row] = await db.rows<{ 'QUERY PLAN': readonly { Plan: Node }[] }>(
        `explain (format json) ${text}`,
        values,
      )
      const root = row?.['QUERY PLAN'][0]?.Plan
      if (root === undefined) throw new Error(`no plan: ${text}`)
      const cost = root['Total Cost']
      plans.push({ statement: text, scanned: scannedBy(root), sorted: sortedBy(root), cost })
      return []
    },
  }
}

function scannedBy(node: Node): string[] {
  const here = node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? ''] : []
  return [...here, ...(node.Plans ?? []).flatMap(scannedBy)]
}

function sortedBy(node: Node): string[] {
  const here = node['Node Type'].endsWith('Sort') ? tablesOf(node) : []
  return [...here, ...(node.Plans ?? []).flatMap(sortedBy)]
}

function tablesOf(node: Node): string[] {
  const here = node['Relation Name']
  return [...(here === undefined ? [] : [here]), ...(node.Plans ?? []).flatMap(tablesOf)]
}
