import { expect, test } from 'vitest'
import { kept, plannerOf } from '../../../src/vitest/plan.ts'

const place = {
  ...{ projectDir: '/repo', runDir: '/run', programEnv: {}, log: () => {} },
  signal: new AbortController().signal,
}

test('without an inventory the hosts are those that are named', async () => {
  const plan = await plannerOf({
    hosts: { web: { groups: ['site'] } },
    ansible: { vaultPasswordFile: 'pass' },
  })(place)
  expect(plan.hosts).toEqual({ web: { groups: ['site'] } })
  expect(plan.ansible).toEqual({
    projectDir: '/repo',
    defaults: { vaultPasswordFile: 'pass' },
    paths: undefined,
  })
  expect((await plannerOf({})(place)).hosts).toEqual({ pi: {} })
})

test('options that contradict each other are refused at once', () => {
  expect(() => plannerOf({ hosts: { web: {} }, inventory: 'hosts' })).toThrow(
    'either `hosts` or an `inventory`',
  )
  expect(() => plannerOf({ inventory: 'hosts', prepare: 'prepare.yml' })).toThrow('cannot be had together')
  expect(() => plannerOf({ limit: 'web', allowLocal: true })).toThrow(
    'raspiTest({ limit, allowLocal }) is about an inventory, and none is given.',
  )
  expect(() => plannerOf({ hosts: { node: { state: 'enrolled', power: 'on' } } })).toThrow(
    'node cannot be enrolled and switched on: there is nothing on its card.',
  )
  expect(() => plannerOf({ hosts: { node: { state: 'enrolled', power: 'off' } } })).not.toThrow()
})

test('a plan that could not be made is not tried again for each test', async () => {
  let tried = 0
  const planner = kept(async () => {
    tried++
    throw new Error('no answer')
  })
  await expect(planner(place)).rejects.toThrow('no answer')
  await expect(planner(place)).rejects.toThrow('no answer')
  expect(tried).toBe(1)
})
