import { assert, suite } from '../harness.ts'
import { type AccessState, oracle } from './oracle.ts'

const state: AccessState = {
  grants: [
    { role: 'nobody', permission: 'view', pattern: 'wh.!users.*' },
    { role: 'author', permission: 'post.edit', pattern: 'wh.blog.*' },
    { role: 'root', permission: 'view', pattern: '*' },
  ],
  roles: { ann: ['author'], bob: [], wirehead: ['root', 'author'] },
}

suite('the oracle of access', test => {
  test('everyone has the rights of nobody, and no one more than granted', () => {
    for (const user of [null, 'ann', 'bob', 'wirehead', 'stranger', 'constructor']) {
      assert.ok(oracle(state, user, 'view', 'wh'))
      assert.ok(oracle(state, user, 'view', 'wh.blog.x'))
      assert.is(oracle(state, user, 'view', 'wh.users.ann'), user === 'wirehead')
      const edits = user === 'ann' || user === 'wirehead'
      assert.is(oracle(state, user, 'post.edit', 'wh.blog.x'), edits)
      assert.not.ok(oracle(state, user, 'post.edit', 'wh'))
      assert.not.ok(oracle(state, user, 'post', 'wh.blog'))
      assert.not.ok(oracle(state, user, 'grant', 'wh.blog'))
    }
  })
})
