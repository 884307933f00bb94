import { expect, test } from 'vitest'
import { timeline } from '../../../src/report/timeline.ts'
import { aRun, aTask, started } from '../ansible/runs.ts'
import { aLentPi, aRecord } from './samples.ts'

test('a timeline tells everything in its order', () => {
  const { run, ...stopped } = aRecord({
    playbook: 'more.yml',
    startedAt: 3_000,
    endedAt: 5_500,
    events: started({ at: 3_100 }),
    error: new Error('more.yml was stopped\nand more'),
  })
  const text = timeline({
    pis: [{ lent: aLentPi('/none'), lost: { at: 5_000, reason: new Error('QEMU ended\nconsole') } }],
    askedAt: 0,
    lentAt: 500,
    queuedMs: 2_000,
    records: [
      aRecord({ startedAt: 1_000, endedAt: 2_000, run: aRun({ tasks: [aTask({ endedAt: 1_900 })] }) }),
      stopped,
    ],
    endedAt: 5_600,
    projectDir: '/repo',
  })
  expect(text).toMatchInlineSnapshot(`
    "1970-01-01T00:00:00.000Z  the test asks for its Pis
    1970-01-01T00:00:00.500Z  pi: lent as pi-1, thawed in 2.9 s, after 2.0 s of waiting for others
    1970-01-01T00:00:01.000Z  ansible-playbook site.yml begins
    1970-01-01T00:00:01.900Z    ok on pi after 3.1 s: TASK [web : Install nginx] (roles/web/tasks/main.yml:12)
    1970-01-01T00:00:02.000Z  ansible-playbook site.yml ended: exit code 0
    1970-01-01T00:00:03.000Z  ansible-playbook more.yml begins
    1970-01-01T00:00:03.100Z    begins: TASK [web : Install nginx] (roles/web/tasks/main.yml:12)
    1970-01-01T00:00:05.000Z  pi: lost: QEMU ended
    1970-01-01T00:00:05.500Z  ansible-playbook more.yml ended: more.yml was stopped
    1970-01-01T00:00:05.600Z  the test ended
    "
  `)
})
