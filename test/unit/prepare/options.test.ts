import { expect, test } from 'vitest'
import { environmentOfStep, stepsOf, withDefaults } from '../../../src/prepare/options.ts'

test('one playbook, several, and such with options', () => {
  expect(stepsOf('a.yml')).toEqual([{ playbook: 'a.yml' }])
  expect(stepsOf({ playbook: 'a.yml', tags: 'web' })).toEqual([{ playbook: 'a.yml', tags: 'web' }])
  expect(stepsOf(['a.yml', { playbook: 'b.yml', extraVars: { n: [1] } }])).toEqual([
    { playbook: 'a.yml' },
    { playbook: 'b.yml', extraVars: { n: [1] } },
  ])
})

test.for([[''], [[]], [{ playbook: 'a.yml', check: true }], [['a.yml', 5]], [{ extraVars: {} }]])(
  '%j is refused',
  ([given]) => {
    expect(() => stepsOf(given as string)).toThrow(/^raspiTest\(\{ prepare \}\) is wrong:\n/)
  },
)

test('a step has the options of all runs, and its own environment on top', () => {
  const defaults = {
    vaultPasswordFile: 'pass.txt',
    vaultIds: 'dev@dev.txt',
    env: { ZONE: 'attic', TIER: 'dev' },
  }
  expect(withDefaults([{ playbook: 'prepare.yml', env: { TIER: 'test' } }], defaults)).toEqual([
    {
      ...{ playbook: 'prepare.yml', vaultPasswordFile: 'pass.txt', vaultIds: 'dev@dev.txt' },
      env: { ZONE: 'attic', TIER: 'test' },
    },
  ])
  // As it is: another request would make the layer again.
  expect(withDefaults([{ playbook: 'prepare.yml' }], {})).toEqual([{ playbook: 'prepare.yml' }])
})

test('what takes a variable away gets to the lab, be it of a step or of all runs', () => {
  const steps = stepsOf({ playbook: 'prepare.yml', env: { TIER: undefined } })
  const [step] = JSON.parse(JSON.stringify(withDefaults(steps, { env: { PROXY: undefined, TIER: 'dev' } })))
  const env = environmentOfStep(step)
  expect(Object.entries(env)).toEqual([
    ['PROXY', undefined],
    ['TIER', undefined],
  ])
  const [alone] = JSON.parse(JSON.stringify(withDefaults(steps, {})))
  expect(Object.entries(environmentOfStep(alone))).toEqual([['TIER', undefined]])
})
