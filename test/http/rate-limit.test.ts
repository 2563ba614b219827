import { networkOf } from '../../src/http/rate-limit.ts'
import { assert, suite } from '../harness.ts'

suite('addresses', test => {
  test('of IPv4 stand for themselves, of IPv6 for their /64', () => {
    assert.is(networkOf('192.0.2.7'), '192.0.2.7')
    assert.is(networkOf('::ffff:192.0.2.7'), '192.0.2.7')
    assert.is(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
    assert.is(networkOf('2001:0db8:0001:0002::6'), '2001:db8:1:2::/64')
    assert.is(networkOf('2001:db8::1'), '2001:db8:0:0::/64')
    assert.is(networkOf('::1'), '0:0:0:0::/64')
    assert.is(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  })
})
