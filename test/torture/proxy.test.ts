import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assert, suite } from '../harness.ts'

const DEADLINE_MS = 10_000
/** Cuts when a client has hung up and the proxy, which does so too, waits for its last word to be sent. */
const PROGRAM = `
  import { subscribe } from 'node:diagnostics_channel'
  import { once } from 'node:events'
  import { connect, createServer } from 'node:net'
  const { LossyProxy } = await import(process.argv[1])
  const target = createServer().listen(0, '127.0.0.1')
  await once(target, 'listening')
  const proxy = await LossyProxy.listen({ host: '127.0.0.1', port: target.address().port })
  subscribe('net.server.socket', ({ socket }) => {
    const later = work => process.nextTick(() => process.nextTick(work))
    if (socket.localPort === proxy.port) socket.on('end', () => later(() => proxy.cutAll()))
  })
  const client = connect(proxy.port, '127.0.0.1').on('error', () => {})
  const [server] = await once(target, 'connection')
  client.end()
  await once(server, 'close')
  target.close()
  await proxy.close()
  console.log('cuts', proxy.cuts)`

suite('the lossy proxy', test => {
  test('lets its process end when it cut a client that was hanging up', async () => {
    const arguments_ = ['--input-type=module', '-e', PROGRAM, join(import.meta.dirname, 'proxy.js')]
    const { stdout } = await promisify(execFile)(process.execPath, arguments_, {
      timeout: DEADLINE_MS,
    })

    assert.is(stdout, 'cuts 1\n')
  })
})
