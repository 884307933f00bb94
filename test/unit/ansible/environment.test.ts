import { expect, test } from 'vitest'
import { environmentOf } from '../../../src/ansible/environment.ts'

const dirs = { dir: '/run/play-1', runDir: '/run', callback: { fd: 3, connections: {} } }

function configured(values: Record<string, unknown> = {}) {
  return { value: (name: string) => values[name], isSet: (name: string) => name in values }
}

test("our callback comes beside the user's, and callbacks_enabled stays theirs", () => {
  const env = environmentOf(
    {},
    configured({ DEFAULT_CALLBACK_PLUGIN_PATH: ['/repo/callbacks', '/usr/share'] }),
    dirs,
  )
  expect(env.ANSIBLE_CALLBACK_PLUGINS).toMatch(
    /^\/repo\/callbacks:\/usr\/share:\/.*\/src\/ansible\/callback_plugins$/,
  )
  expect(env).not.toHaveProperty('ANSIBLE_CALLBACKS_ENABLED')
})

test('temporary files go to the run, unless the user has a place for them', () => {
  expect(environmentOf({}, configured(), dirs).ANSIBLE_LOCAL_TEMP).toBe('/run/play-1/tmp')
  expect(environmentOf({}, configured({ DEFAULT_LOCAL_TMP: '/scratch' }), dirs)).not.toHaveProperty(
    'ANSIBLE_LOCAL_TEMP',
  )
})

test('facts that are kept between playbooks are kept by the run, not in the cache of the real machines', () => {
  expect(environmentOf({}, configured({ CACHE_PLUGIN: 'redis' }), dirs)).toMatchObject({
    ANSIBLE_CACHE_PLUGIN: 'jsonfile',
    ANSIBLE_CACHE_PLUGIN_CONNECTION: '/run/facts',
  })
  expect(environmentOf({}, configured({ CACHE_PLUGIN: 'memory' }), dirs)).not.toHaveProperty(
    'ANSIBLE_CACHE_PLUGIN',
  )
})

test('the environment of the process is kept', () => {
  expect(
    environmentOf({ ANSIBLE_CONFIG: '/repo/ansible.cfg', PATH: '/bin' }, configured(), dirs),
  ).toMatchObject({
    ANSIBLE_CONFIG: '/repo/ansible.cfg',
    PATH: '/bin',
  })
})
