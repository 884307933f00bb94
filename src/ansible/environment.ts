import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withoutPasswords } from './asking.ts'
import type { AnsibleConfig } from './config.ts'
import type { SearchPaths } from './galaxy.ts'
import type { Connection } from './inventory.ts'

const callbackPlugins = fileURLToPath(new URL('./callback_plugins', import.meta.url))

/** What the callback plugin is told in the environment variable `VITEST_RASPI_CALLBACK`. */
export interface CallbackPlace {
  /** The descriptor it writes its events to. */
  fd: number
  /** The file that holds its {@link CallbackSettings}: they grow with the inventory, and a variable has room for 128 KiB. */
  settings: string
}

/** What the callback plugin is told in a file of JSON. */
export interface CallbackSettings {
  /** What, by host, no variables file of the repository may change. */
  connections: Record<string, Connection>
  /** Directories and files that are searched for vaults, besides those of the playbook: what they hold is masked. */
  vaults: readonly string[]
  /** The file it notes in what Ansible reads: a line each, of a kind, a tab and the absolute path. */
  reads?: string | undefined
}

/**
 * The environment for ansible-playbook: the given one, our callback plugin beside the user's, and everything that Ansible
 * writes of its own accord in `dir` (one playbook's) and `runDir` (the same for all playbooks on these Pis).
 */
export function environmentOf(
  env: NodeJS.ProcessEnv,
  config: AnsibleConfig,
  {
    dir,
    runDir,
    callback,
    paths,
  }: { dir: string; runDir: string; callback: CallbackPlace; paths?: SearchPaths | undefined },
): NodeJS.ProcessEnv {
  const plugins = [config.value('DEFAULT_CALLBACK_PLUGIN_PATH')]
    .flat()
    .filter((path) => typeof path === 'string')
  return {
    // Ansible leaves compiled plugins beside their source, which would be in the user's repository and in our package.
    PYTHONDONTWRITEBYTECODE: '1',
    ...env,
    // A callback in this path that does not ask to be enabled is enabled: callbacks_enabled stays the user's.
    ANSIBLE_CALLBACK_PLUGINS: [...plugins, callbackPlugins].join(':'),
    VITEST_RASPI_CALLBACK: JSON.stringify(callback),
    ANSIBLE_RETRY_FILES_ENABLED: 'false',
    ...withoutPasswords,
    ...(config.isSet('DEFAULT_LOCAL_TMP') ? {} : { ANSIBLE_LOCAL_TEMP: join(dir, 'tmp') }),
    // Another one would not lead to the Pis. `smart`, the default, is ssh; plays and tasks may say `connection: local`.
    ...(config.isSet('DEFAULT_TRANSPORT') ? { ANSIBLE_TRANSPORT: 'smart' } : {}),
    ...inventoryPlugins(config),
    ...searchPaths(config, paths),
    ...factCache(config, runDir),
  }
}

// Our inventory is YAML, which a repository whose own is not may have left out.
function inventoryPlugins(config: AnsibleConfig): NodeJS.ProcessEnv {
  const enabled = [config.value('INVENTORY_ENABLED') ?? []].flat()
  if (
    !config.isSet('INVENTORY_ENABLED') ||
    enabled.some((name) => /^(ansible\.builtin\.)?yaml$/.test(String(name)))
  )
    return {}
  return { ANSIBLE_INVENTORY_ENABLED: [...enabled, 'yaml'].join(',') }
}

// A variable of the environment replaces what ansible.cfg says, so both are in it.
function searchPaths(
  config: AnsibleConfig,
  { roles, collections }: SearchPaths = { roles: [], collections: [] },
) {
  const join = (ours: string[], setting: string) => [...ours, config.value(setting) ?? []].flat().join(':')
  return {
    ...(roles.length > 0 ? { ANSIBLE_ROLES_PATH: join(roles, 'DEFAULT_ROLES_PATH') } : {}),
    // Without an S at its end since ansible-core 2.10, with one in `ansible-config dump`.
    ...(collections.length > 0 ? { ANSIBLE_COLLECTIONS_PATH: join(collections, 'COLLECTIONS_PATHS') } : {}),
  }
}

// A user's fact cache that outlives a playbook must neither tell a test of another Pi of the same name, nor learn from it.
function factCache(config: AnsibleConfig, runDir: string): NodeJS.ProcessEnv {
  const plugin = config.value('CACHE_PLUGIN')
  if (!config.isSet('CACHE_PLUGIN') || plugin === 'memory' || plugin === 'ansible.builtin.memory') return {}
  return { ANSIBLE_CACHE_PLUGIN: 'jsonfile', ANSIBLE_CACHE_PLUGIN_CONNECTION: join(runDir, 'facts') }
}
