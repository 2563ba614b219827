/** What the scripts that run before rm3 say; standard output is left to rm3. */

/** A line for the person at the terminal. */
export function say(line) {
  process.stderr.write(`${line}\n`)
}

/** Ends the process with a message and exit code 1. */
export function fail(message) {
  say(message)
  process.exit(1)
}
