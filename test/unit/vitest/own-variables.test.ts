import { expect, test, vi } from 'vitest'
import { ownVariables, replacedVariables } from '../../../src/vitest/own-variables.ts'

const viteEnv = { BASE_URL: '/', MODE: 'test', DEV: true, PROD: false }
const names = ['BASE_URL', 'MODE', 'DEV', 'PROD', 'SSR']
const theirs = (env: NodeJS.ProcessEnv) => Object.fromEntries(names.map((name) => [name, env[name]]))

test('what Vitest has replaced in a worker is as it was before, set or not', () => {
  const before = { BASE_URL: 'https://staging.example', PROD: '1', SSR: 'no', HOME: '/root' }
  // This is a worker.
  const env = ownVariables(replacedVariables(viteEnv, undefined, before))
  expect(theirs(env)).toEqual({ ...before, HOME: undefined, MODE: undefined, DEV: undefined })
  expect(env).toMatchObject({ PATH: process.env.PATH, VITEST: 'true' })
})

test('what a test has stubbed, or the configuration names, stays', () => {
  vi.stubEnv('MODE', 'production')
  vi.stubEnv('PROD', true)
  const replaced = replacedVariables(viteEnv, { BASE_URL: '/' }, { MODE: 'staging', BASE_URL: '/app' })
  expect(ownVariables(replaced)).toMatchObject({ MODE: 'production', PROD: '1', BASE_URL: '/' })
})
