import type { Command } from '../command.ts'

const createworkflow: Command = {
  name: 'createworkflow',
  summary: 'was needed by rm3 0.x to set up its jobs; nothing is to be done now',
  run: async () => ({
    text: 'Nothing to do: this version has no workers yet, and later ones need no set-up.',
    data: { workers: [], done: false },
  }),
}

const list: Command = {
  name: 'worker list',
  summary: 'lists the workers',
  run: async () => ({
    text: 'None: this version has no workers yet; they come with a later release.',
    data: { items: [], next: null },
  }),
}

/** `rm3admin createworkflow` and `worker list`. */
export const jobCommands: readonly Command[] = [createworkflow, list]
