/** Waits for a condition, looking again and again. @throws when it does not come true in time */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  deadlineMs = 15_000,
): Promise<void> {
  const end = Date.now() + deadlineMs
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`not true in ${deadlineMs} ms: ${isTrue}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
