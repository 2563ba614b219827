import type { FastifyInstance, InjectOptions } from 'fastify'
import { addUser, createToken } from '../../src/commands/accounts.ts'
import { change } from '../../src/commands/change.ts'
import { createPage } from '../../src/commands/pages.ts'
import { assignUser, permitRole } from '../../src/commands/rights.ts'
import type { Document } from '../../src/content/document.ts'
import type { HttpOptions } from '../../src/http/context.ts'
import { buildServer } from '../../src/http/server.ts'
import { AS_ROOT, type TestSite, testSite } from '../support/database.ts'

/** A site with a server that does not listen. */
export interface TestServer extends TestSite {
  readonly server: FastifyInstance
}

export async function testServer(options: Partial<HttpOptions> = {}): Promise<TestServer> {
  const open = await testSite()
  const server = buildServer({
    site: open.site,
    wakeups: open.wakeups,
    appends: open.appends,
    options: { logLevel: 'error', ...options },
  })
  await server.ready()
  return {
    ...open,
    server,
    close: async () => {
      await server.close()
      await open.close()
    },
  }
}

/** A document with a title. */
export function page(title: string, more: Partial<Document> = {}): Document {
  const summary = { title, abstract: '' }
  return { proto: 'base', hidden: false, summary, data: {}, tags: {}, ...more }
}

/** Makes pages as the operator does. */
export async function putPages(open: TestSite, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await change(open.site, AS_ROOT, it => createPage(it, { path, document: page(path) }))
  }
}

/** Grants: `[role, permission, pattern]`. */
export async function putGrants(
  open: TestSite,
  grants: readonly (readonly [string, string, string])[],
): Promise<void> {
  for (const [role, permission, pattern] of grants) {
    await change(open.site, AS_ROOT, it => permitRole(it, { role, permission, pattern }))
  }
}

/** Makes a user with roles. @returns the id, and a token that may write */
export async function putUser(
  open: TestSite,
  login: string,
  roles: readonly string[],
): Promise<{ id: string; token: string }> {
  const made = await change(open.site, AS_ROOT, it => addUser(it, { login, fullName: login }))
  const { id } = made.result
  for (const role of roles) await change(open.site, AS_ROOT, it => assignUser(it, id, role))
  const { token } = await createToken(open.site, AS_ROOT, { userId: id })
  return { id, token }
}

export type Request = InjectOptions & { url: string }

/** `inject` with a token. */
export function withToken(token: string, request: Request): Request {
  return { ...request, headers: { authorization: `Bearer ${token}`, ...request.headers } }
}

/** The value of a problem's or record's member, whatever came back. */
export function member(body: string, name: string): unknown {
  return (JSON.parse(body) as Record<string, unknown>)[name]
}

/**
 * A server of a site whose past everyone may read but at `wh.secret` and below, and its editors everywhere, drafts too. It has no page yet.
 *
 * @returns the server, and the token of an editor
 */
export async function serverWithSecrets(): Promise<{ open: TestServer; token: string }> {
  const open = await testServer()
  await putGrants(open, [
    ['nobody', 'view', 'wh.!secret.*'],
    ['nobody', 'history', 'wh.!secret.*'],
    ['editor', 'view', '*'],
    ['editor', 'history', '*'],
    ['editor', 'viewdraft', '*'],
  ])
  return { open, token: (await putUser(open, 'ed', ['editor'])).token }
}

/** A server where all may read everything and its history, and the token of one who may edit and delete. */
export async function serverWithEditor(): Promise<{ open: TestServer; token: string }> {
  const open = await testServer()
  await putGrants(open, [
    ['nobody', 'view', '*'],
    ['nobody', 'history', '*'],
    ['editor', 'post.edit', '*'],
    ['editor', 'post.delete', '*'],
  ])
  return { open, token: (await putUser(open, 'ann', ['editor'])).token }
}
