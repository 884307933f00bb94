import { stripVTControlCharacters } from 'node:util'
import { type AnsibleRun, expect, test } from 'vitest-raspi'
import { runMatchers } from '../../src/vitest/run-matchers.ts'

// Every matcher on a run, with runs that a Pi has seen.

const playbook = 'test/fixtures/system/judged.yml'
const oddOne = 'test/fixtures/system/judged-odd.yml'

type Its = ReturnType<typeof expect>
type Judge = (it: Its) => unknown

test('every matcher on a run passes and fails, tells what was, and can be negated', async ({ ansible }) => {
  const dry = await ansible.playbook(playbook, { check: true, diff: true })
  const real = await ansible.playbook(playbook, { diff: true })
  const again = await ansible.playbook(playbook)
  const dryAgain = await ansible.playbook(playbook, { check: true })
  const odd = await ansible.playbook(oddOne)

  /** How a run is judged, one that passes, one that fails, and what the message says of the latter. */
  const table: [
    name: keyof typeof runMatchers,
    judge: Judge,
    good: AnsibleRun,
    bad: AnsibleRun,
    says: string,
  ][] = [
    [
      'toSucceed',
      (it) => it.toSucceed(),
      real,
      odd,
      'Received: 1 task failed (exit code 2)\n\nTASK [Fail on purpose]\n  at test/fixtures/system/judged-odd.yml:12\n',
    ],
    [
      'toFail',
      (it) => it.toFail({ task: 'Fail on purpose', message: 'out of paper' }),
      odd,
      real,
      'Expected: task "Fail on purpose" fails with "out of paper"\nReceived: every task succeeded',
    ],
    ['toHaveChanged', (it) => it.toHaveChanged(1), real, again, 'Received: no task changed anything'],
    [
      'toBeIdempotent',
      (it) => it.toBeIdempotent(),
      again,
      real,
      'Received: 1 task changed\n\nTASK [Write a page]\n  at test/fixtures/system/judged.yml:5\n',
    ],
    [
      'toChangeNothingInCheckMode',
      (it) => it.toChangeNothingInCheckMode(),
      dryAgain,
      dry,
      'Expected: no task would change anything\nReceived: 1 task changed',
    ],
    [
      'toPredictItsChanges',
      (it) => it.toPredictItsChanges(real),
      dry,
      dryAgain,
      'Changed, but not foretold:\n\n  TASK [Write a page] (test/fixtures/system/judged.yml:5) on pi',
    ],
    [
      'toHaveNotifiedHandler',
      (it) => it.toHaveNotifiedHandler('Show the page', { host: 'pi' }),
      real,
      again,
      'Received: no handler notified',
    ],
    [
      'toHaveNoWarnings',
      (it) => it.toHaveNoWarnings(),
      real,
      odd,
      'Received: 1 warning\n\n  Could not match supplied host pattern, ignoring: nobody',
    ],
    [
      'toHaveRunTask',
      (it) => it.toHaveRunTask('Write a page', { status: 'changed' }),
      real,
      again,
      'Expected: task "Write a page" changed\nReceived: ok on pi',
    ],
  ]
  expect(table.map(([name]) => name)).toEqual(Object.keys(runMatchers))
  for (const [name, judge, good, bad, says] of table) {
    expect
      .soft(
        messageOf(() => judge(expect(good))),
        name,
      )
      .toBe('passed')
    expect
      .soft(
        messageOf(() => judge(expect(bad))),
        name,
      )
      .toContain(says)
    expect
      .soft(
        messageOf(() => judge(expect(bad).not as Its)),
        `${name}, negated`,
      )
      .toBe('passed')
    expect
      .soft(
        messageOf(() => judge(expect(good).not as Its)),
        `${name}, negated`,
      )
      .toMatch(
        new RegExp(`^expect\\(run\\)\\.not\\.${name}\\(\\) failed\n\nPlaybook: .*\nExpected: .*\nReceived: `),
      )
  }
})

function messageOf(judge: () => unknown): string {
  try {
    judge()
    return 'passed'
  } catch (error) {
    return stripVTControlCharacters((error as Error).message)
  }
}
