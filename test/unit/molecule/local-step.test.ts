import { expect, test } from 'vitest'
import { isEmptyStep, isLocalStep } from '../../../src/molecule/local-step.ts'
import { aRun } from '../ansible/runs.ts'

const here = { name: 'Look from here', hosts: 'localhost', matched: true, pis: [] }
const nobody = { name: 'Look', hosts: 'webservres', matched: false, pis: [] }

test('a step may be for localhost alone, unless it converges', () => {
  const run = aRun({ plays: [here] })
  for (const action of ['prepare', 'side_effect', 'verify', 'cleanup'] as const)
    expect(isLocalStep({ action }, run)).toBe(true)
  expect(isLocalStep({ action: 'converge' }, run)).toBe(false)
})

test('a step that failed, or has a play that matched nothing, is judged as any other', () => {
  expect(isLocalStep({ action: 'verify' }, aRun({ plays: [here, nobody] }))).toBe(false)
  expect(isLocalStep({ action: 'verify' }, aRun({ plays: [here], exitCode: 2 }))).toBe(false)
  expect(isLocalStep({ action: 'verify' }, aRun({ plays: [] }))).toBe(false)
})

test('the scenario’s tags may leave a step without tasks, but not what they are meant for', () => {
  const noneChosen = { tags: ['install'], skipTags: [], known: [] }
  const run = aRun({ noneChosen })
  for (const action of ['prepare', 'side_effect', 'verify', 'cleanup'] as const)
    expect(isEmptyStep({ action }, run)).toBe(true)
  for (const action of ['converge', 'check', 'idempotence'] as const)
    expect(isEmptyStep({ action }, run)).toBe(false)
  expect(isEmptyStep({ action: 'verify' }, aRun())).toBe(false)
  expect(isEmptyStep({ action: 'verify' }, aRun({ noneChosen, exitCode: 4 }))).toBe(false)
  expect(isEmptyStep({ action: 'verify' }, aRun({ noneChosen, plays: [nobody] }))).toBe(false)
})
