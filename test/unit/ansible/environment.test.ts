import { expect, test } from 'vitest'
import { environmentOf } from '../../../src/ansible/environment.ts'

const dirs = {
  dir: '/run/play-1',
  runDir: '/run',
  callback: { fd: 3, settings: '/run/play-1/callback.json' },
}

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

test('our inventory can be read where the repository has other plugins for its own', () => {
  const plugins = (...names: string[]) => environmentOf({}, configured({ INVENTORY_ENABLED: names }), dirs)
  expect(plugins('ini', 'script').ANSIBLE_INVENTORY_ENABLED).toBe('ini,script,yaml')
  expect(plugins('ini', 'ansible.builtin.yaml')).not.toHaveProperty('ANSIBLE_INVENTORY_ENABLED')
})

test('what was installed for the run is searched before the directories of the configuration', () => {
  const config = configured({
    DEFAULT_ROLES_PATH: ['/repo/roles', '/etc/roles'],
    COLLECTIONS_PATHS: ['/usr/collections'],
  })
  const paths = { roles: ['/run/roles'], collections: ['/run/collections'] }
  expect(environmentOf({}, config, { ...dirs, paths })).toMatchObject({
    ANSIBLE_ROLES_PATH: '/run/roles:/repo/roles:/etc/roles',
    ANSIBLE_COLLECTIONS_PATH: '/run/collections:/usr/collections',
  })
  expect(environmentOf({}, config, dirs)).not.toHaveProperty('ANSIBLE_ROLES_PATH')
})

test('a transport that does not lead to a Pi is not taken', () => {
  expect(environmentOf({}, configured({ DEFAULT_TRANSPORT: 'local' }), dirs).ANSIBLE_TRANSPORT).toBe('smart')
})
