import { createEngine } from '../../src/scheme/engine.ts'
import { assert, suite } from '../harness.ts'

const STALL_MS = 700

suite('the engine of templates', test => {
  test('ends a template that takes too much of the processor', () => {
    const loops = '{% for a in (1..9000) %}{% for b in (1..9000) %}{{ b }}{% endfor %}{% endfor %}'
    const engine = createEngine({ endless: loops })

    assert.throws(() => engine.render('endless', {}), /render limit exceeded/)
  })

  test('renders a page although the process stood still meanwhile', () => {
    const engine = createEngine({ page: '{{ slow }}{% for a in (1..3) %}{{ a }}{% endfor %}' })
    let stalls = 1
    const context = {
      get slow() {
        if (stalls-- > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS)
        return 'page '
      },
    }

    assert.is(engine.render('page', context), 'page 123')
  })
})
