class TakenBack<Result> extends Error {
  readonly result: Result

  constructor(result: Result) {
    super('taken back')
    this.result = result
  }
}

/**
 * Runs work in a transaction. In a dry run all of it is done and then taken back, and what it came to is given all the same.
 *
 * @param transaction runs what it is given in a transaction, which a throw in it takes back
 */
export async function rehearsable<Inside, Result>(
  transaction: (run: (inside: Inside) => Promise<Result>) => Promise<Result>,
  dryRun: boolean | undefined,
  work: (inside: Inside) => Promise<Result>,
): Promise<Result> {
  try {
    return await transaction(async inside => {
      const done = await work(inside)
      if (dryRun) throw new TakenBack(done)
      return done
    })
  } catch (thrown) {
    if (thrown instanceof TakenBack) return thrown.result
    throw thrown
  }
}
