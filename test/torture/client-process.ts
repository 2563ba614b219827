import { Client, type ClientOptions } from './client.ts'

/** A client in a process of its own: options as JSON in the first argument, ends at SIGTERM or with the one that started it. */
const client = new Client(JSON.parse(process.argv[2] ?? '{}') as ClientOptions)
process.on('SIGTERM', () => {
  client.isEnding = true
})
process.on('disconnect', () => process.exit(1))
process.send?.('ready')
await client.run()
process.exit(0)
