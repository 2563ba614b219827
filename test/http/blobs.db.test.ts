import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Response } from 'light-my-request'
import { BLOB_MAX_BYTES } from '../../src/content/limits.ts'
import { assert, suite } from '../harness.ts'
import {
  member,
  putGrants,
  putPages,
  putUser,
  type TestServer,
  testServer,
  withToken,
} from './support.ts'

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.from('0123456789')])
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
const HTML = Buffer.from('<!doctype html><script>alert(1)</script>')

suite('files over HTTP', test => {
  let open: TestServer
  let folder = ''
  let ed = ''
  let guest = ''
  const put = (url: string, payload: Buffer, type = 'application/octet-stream', token = ed) =>
    open.server.inject(
      withToken(token, { method: 'PUT', url, payload, headers: { 'content-type': type } }),
    )
  const get = (url: string, headers: Record<string, string> = {}, token: string | null = null) => {
    const request = { url, headers }
    return open.server.inject(token === null ? request : withToken(token, request))
  }
  const remove = (url: string, token = ed) =>
    open.server.inject(withToken(token, { method: 'DELETE', url }))
  /** Waits until so many files are on their way. */
  const partials = async (wanted: number) => {
    for (let tries = 0; tries < 500; tries++) {
      const names = await readdir(join(folder, 'public'))
      if (names.filter(name => name.startsWith('incoming-')).length === wanted) return
      await new Promise(done => setTimeout(done, 10))
    }
    throw new Error(`there are never ${wanted} files on their way`)
  }
  const shaOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  const api = '/api/pages/wh.images.sunset/blobs'
  const site = '/images/sunset/$file'

  test.before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rm3-files-'))
    open = await testServer({
      publicBlobsFolder: join(folder, 'public'),
      privateBlobsFolder: join(folder, 'private'),
    })
    await putGrants(open, [
      ['nobody', 'view', 'wh.!secret.*'],
      ...['view', 'history', 'post.edit', 'post.delete'].map(
        permission => ['editor', permission, '*'] as const,
      ),
      ['guest', 'history', 'wh.!secret.*'],
    ])
    await putPages(open, ['wh', 'wh.images', 'wh.images.sunset', 'wh.images.other', 'wh.secret'])
    ed = (await putUser(open, 'ed', ['editor'])).token
    guest = (await putUser(open, 'guest', ['guest'])).token
  })
  test.after(async () => {
    await open.close()
    await rm(folder, { recursive: true })
  })

  test('a file is sent, listed, replaced and had', async () => {
    const made = await put(`${api}/large.png`, HTML)
    const again = await put(`${api}/large.png`, PNG, 'image/x-whatever')
    const listed = await get(api)
    const had = await get(`${site}/large.png`)

    assert.is(made.statusCode, 201, made.body)
    assert.is(again.statusCode, 200, again.body)
    assert.is(again.headers.etag, `"${shaOf(PNG)}"`)
    assert.ok(Number(again.headers['rm3-position']) > Number(made.headers['rm3-position']))
    assert.equal(member(listed.body, 'items'), [
      {
        ...{ name: 'large.png', sha256: shaOf(PNG), sizeBytes: PNG.length, mediaType: 'image/png' },
        ...{ category: 'public', url: `${site}/large.png` },
      },
    ])
    assert.is(had.statusCode, 200)
    assert.ok(had.rawPayload.equals(PNG))
    assert.is(had.headers['content-type'], 'image/png')
    assert.is(had.headers['content-length'], String(PNG.length))
    assert.is(had.headers['x-content-type-options'], 'nosniff')
    assert.is(
      had.headers['content-security-policy'],
      "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    )
    assert.match(String(had.headers['content-disposition']), /^inline; filename="large.png"/)
  })

  test('what could run is only downloaded, whatever it calls itself', async () => {
    await put(`${api}/a.svg`, SVG, 'image/svg+xml')
    await put(`${api}/b.png`, HTML, 'image/png')
    await put(`${api}/c.pdf`, Buffer.from('%PDF-1.7'), 'application/pdf')
    const svg = await get(`${site}/a.svg`)
    const html = await get(`${site}/b.png`)
    const pdf = await get(`${site}/c.pdf`)

    assert.is(svg.headers['content-type'], 'image/svg+xml')
    assert.match(String(svg.headers['content-disposition']), /^attachment;/)
    assert.match(String(svg.headers['content-security-policy']), /^sandbox;/)
    assert.is(html.headers['content-type'], 'application/octet-stream')
    assert.match(String(html.headers['content-disposition']), /^attachment;/)
    assert.match(String(pdf.headers['content-disposition']), /^attachment;/)
  })

  test('names are those of files, in one spelling', async () => {
    const url = `${api}/${encodeURIComponent('Über "uns".png')}`
    const made = await put(url, PNG)
    const had = await get(String(member(made.body, 'url')))

    assert.is(made.statusCode, 201, made.body)
    assert.is(had.statusCode, 200)
    assert.is(
      had.headers['content-disposition'],
      `inline; filename="_ber _uns_.png"; filename*=UTF-8''%C3%9Cber%20%22uns%22.png`,
    )
    const decomposed = encodeURIComponent('Über "uns".png'.normalize('NFD'))
    assert.is((await get(`${site}/${decomposed}`)).statusCode, 200)
    for (const bad of ['..%2Fetc', 'a%5Cb', '%00', 'a%0Ab', '__proto__']) {
      const answer = await put(`${api}/${bad}`, PNG)
      assert.ok(answer.statusCode === 400, `${bad}: ${answer.statusCode} ${answer.body}`)
      assert.is((await get(`${site}/${bad}`)).statusCode, 404)
    }
    const capital = await get('/Images/Sunset/$file/large.png?at=position:1')
    assert.is(capital.statusCode, 308)
    assert.is(capital.headers.location, `${site}/large.png?at=position:1`)
  })

  test('what is known is not sent again, and ranges are', async () => {
    const url = `${site}/large.png`
    const etag = `"${shaOf(PNG)}"`
    const same = await get(url, { 'if-none-match': etag })
    const head = await open.server.inject({ method: 'HEAD', url })
    const size = PNG.length
    const ranges: [Record<string, string>, number, string][] = [
      [{ range: 'bytes=0-3' }, 206, `bytes 0-3/${size}`],
      [{ range: 'bytes=4-' }, 206, `bytes 4-${size - 1}/${size}`],
      [{ range: 'bytes=-4' }, 206, `bytes ${size - 4}-${size - 1}/${size}`],
      [{ range: 'bytes=0-999' }, 206, `bytes 0-${size - 1}/${size}`],
      [{ range: 'bytes=0-3', 'if-range': etag }, 206, `bytes 0-3/${size}`],
      [{ range: 'bytes=0-3', 'if-range': '"other"' }, 200, 'undefined'],
      [{ range: 'bytes=0-1,3-4' }, 200, 'undefined'],
      [{ range: 'lines=0-1' }, 200, 'undefined'],
      [{ range: 'bytes=3-1' }, 200, 'undefined'],
      [{ range: 'bytes=999-' }, 416, `bytes */${size}`],
      [{ range: 'bytes=-0' }, 416, `bytes */${size}`],
    ]

    assert.is(same.statusCode, 304)
    assert.is(same.body, '')
    assert.is(head.statusCode, 200)
    assert.is(head.headers['content-length'], String(size))
    assert.is(head.body, '')
    for (const [headers, status, range] of ranges) {
      const answer: Response = await get(url, headers)
      const where = `${JSON.stringify(headers)} ${answer.body}`
      assert.is(answer.statusCode, status, where)
      assert.is(String(answer.headers['content-range']), range, where)
      if (status === 206) {
        assert.is(answer.headers['content-length'], String(answer.rawPayload.length), where)
      }
    }
    const middle = await get(url, { range: 'bytes=8-10' })
    assert.is(middle.body, '012')
  })

  test('who may not edit the page sends and takes nothing, and is told before the bytes', async () => {
    const secret = '/api/pages/wh.secret/blobs/x.png'

    assert.is((await put(`${api}/x.png`, PNG, 'image/png', guest)).statusCode, 403)
    assert.is((await put(secret, PNG, 'image/png', guest)).statusCode, 404)
    assert.is((await remove(`${api}/large.png`, guest)).statusCode, 403)
    assert.is((await put('/api/pages/wh.nothing/blobs/x', PNG)).statusCode, 404)
    const anyone = await open.server.inject({
      ...{ method: 'PUT' as const, url: `${api}/x.png`, payload: PNG },
      headers: { 'content-type': 'image/png' },
    })
    assert.is(anyone.statusCode, 401)
    assert.is((await get(`${site}/x.png`)).statusCode, 404)
    assert.is((await put(`${api}/x.png`, PNG, 'text/html')).statusCode, 415)
    assert.is((await put(`${api}/x.png?category=secret`, PNG)).statusCode, 400)
  })

  test('private files are for editors, and look to others as if they were not', async () => {
    const bytes = Buffer.from('for editors')
    const made = await put(`${api}/notes.txt?category=private`, bytes)
    const url = `${site}/notes.txt`
    const listed = await get(api)
    const hidden = await get(url)
    const absent = await get(`${site}/never.txt`)

    assert.is(made.statusCode, 201, made.body)
    assert.is((await get(url, {}, ed)).body, 'for editors')
    assert.is(hidden.statusCode, 404)
    assert.is(member(hidden.body, 'code'), 'BLOB_NOT_FOUND')
    assert.is(member(absent.body, 'code'), 'BLOB_NOT_FOUND')
    assert.is((await get(url, {}, guest)).statusCode, 404)
    assert.not.ok(listed.body.includes('notes.txt'))
    assert.ok((await get(api, {}, ed)).body.includes('notes.txt'))
    assert.is((await get(`/api/blobs/${shaOf(bytes)}`, {}, guest)).statusCode, 404)
    assert.is((await get(`/api/blobs/${shaOf(bytes)}`, {}, ed)).statusCode, 200)
    const past = `${url}?at=position:${String(made.headers['rm3-position'])}`
    assert.is((await get(past, {}, guest)).statusCode, 404)
    assert.is((await get(past, {}, ed)).statusCode, 200)
  })

  test('to know a hash is not enough, and sending the same bytes tells nothing', async () => {
    const bytes = Buffer.from('a secret of the secret page')
    await put('/api/pages/wh.secret/blobs/secret.txt', bytes)
    const url = `/api/blobs/${shaOf(bytes)}`
    const before = await get(url)
    const unknown = await get(`/api/blobs/${'0'.repeat(64)}`)
    const forbidden = await get('/secret/$file/secret.txt')
    const known = await put(`${api}/mine.txt`, bytes)
    const fresh = await put(`${api}/new.txt`, Buffer.from('never seen'))
    const after = await get(url)
    await remove(`${api}/mine.txt`)
    const gone = await get(url)

    assert.is(before.statusCode, 404)
    assert.is(member(before.body, 'detail'), member(unknown.body, 'detail'))
    assert.is(forbidden.statusCode, 404)
    assert.is(known.statusCode, fresh.statusCode)
    assert.equal(Object.keys(known.headers).sort(), Object.keys(fresh.headers).sort())
    assert.is(after.statusCode, 200)
    assert.match(String(after.headers['content-disposition']), /mine\.txt/)
    assert.is(gone.statusCode, 404)
    assert.is((await get('/api/blobs/ABC')).statusCode, 400)
  })

  test('a file that was taken away is there as of then, for those who may read the past', async () => {
    const made = await put(`${api}/old.png`, PNG)
    const gone = await remove(`${api}/old.png`)
    const again = await remove(`${api}/old.png`)
    const past = `${site}/old.png?at=position:${String(made.headers['rm3-position'])}`

    assert.is(gone.statusCode, 204, gone.body)
    assert.is(again.statusCode, 204)
    assert.is((await get(`${site}/old.png`)).statusCode, 404)
    assert.is((await get(past)).statusCode, 401)
    const seen = await get(past, {}, guest)
    assert.is(seen.statusCode, 200, seen.body)
    assert.is(seen.headers['rm3-position'], made.headers['rm3-position'])
    assert.ok(seen.headers['memento-datetime'])
    const before = Number(made.headers['rm3-position']) - 1
    assert.is((await get(`${site}/old.png?at=position:${before}`, {}, guest)).statusCode, 404)
    const list = await get(`${api}?at=position:${before + 1}`, {}, guest)
    assert.ok(list.body.includes('old.png'))
  })

  test('files follow their page, and end with it', async () => {
    await put('/api/pages/wh.images.other/blobs/f.png', PNG)
    const move = { method: 'POST' as const, url: '/api/pages/wh.images.other/move' }
    const moved = await open.server.inject(
      withToken(ed, { ...move, payload: { to: 'wh.images.moved' } }),
    )
    const old = await get('/images/other/$file/f.png')
    const list = await get('/api/pages/wh.images.other/blobs')
    const now = await get('/images/moved/$file/f.png')
    await open.server.inject(withToken(ed, { method: 'DELETE', url: '/api/pages/wh.images.moved' }))

    assert.is(moved.statusCode, 200, moved.body)
    assert.is(old.statusCode, 308)
    assert.is(old.headers.location, '/images/moved/$file/f.png')
    assert.is(list.statusCode, 308)
    assert.is(now.statusCode, 200)
    assert.is((await get('/images/moved/$file/f.png')).statusCode, 410)
  })

  test('a file that is too large, broken off or without a type', async () => {
    await open.server.listen({ port: 0, host: '127.0.0.1' })
    const { port } = open.server.server.address() as AddressInfo
    const send = (name: string, headers: Record<string, string | number>, body: Buffer | null) =>
      new Promise<number>((resolve, reject) => {
        const authorization = `Bearer ${ed}`
        const request = httpRequest({
          ...{ port, method: 'PUT', path: `${api}/${name}` },
          headers: { authorization, ...headers },
        })
        request.on('response', response => {
          response.resume()
          resolve(response.statusCode ?? 0)
          request.destroy()
        })
        request.on('error', reject)
        if (body === null) request.flushHeaders()
        else request.end(body)
      })
    const tooLarge = { 'content-length': BLOB_MAX_BYTES + 1, 'content-type': 'image/png' }
    const large = await send('large', tooLarge, null)
    const untyped = await send('untyped', { 'content-length': PNG.length }, PNG)
    const broken = httpRequest({
      ...{ port, method: 'PUT', path: `${api}/broken` },
      headers: {
        authorization: `Bearer ${ed}`,
        'content-length': 1000,
        'content-type': 'image/png',
      },
    })
    broken.on('error', () => {})
    broken.write(PNG)
    await partials(1)
    broken.destroy()
    await partials(0)
    const empty = await put(`${api}/empty`, Buffer.alloc(0))

    assert.is(large, 413)
    assert.is(untyped, 201)
    assert.is(empty.statusCode, 201, empty.body)
    assert.is((await get(`${site}/empty`)).headers['content-length'], '0')
    assert.is((await get(`${site}/broken`)).statusCode, 404)
    assert.ok((await get(`${site}/untyped`)).rawPayload.equals(PNG))
  })

  test('a server without folders for files says so', async () => {
    const other = await testServer({ logLevel: 'silent' })
    await putPages(other, ['wh'])
    await putGrants(other, [
      ['nobody', 'post.edit', '*'],
      ['nobody', 'view', '*'],
    ])
    const payload = PNG
    const headers = { 'content-type': 'image/png' }
    const answer = await other.server.inject({
      ...{ method: 'PUT', url: '/api/pages/wh/blobs/x.png', payload, headers },
    })
    await other.close()

    assert.is(answer.statusCode, 500)
    assert.is(member(answer.body, 'code'), 'CONFIG_INVALID')
  })
})
