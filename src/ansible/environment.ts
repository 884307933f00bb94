import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AnsibleConfig } from './config.ts'

const callbackPlugins = fileURLToPath(new URL('./callback_plugins', import.meta.url))

/** What the callback plugin is told, in the environment variable `VITEST_RASPI_CALLBACK`. */
export interface CallbackSettings {
  /** The descriptor it writes its events to. */
  fd: number
  /** The variables, by host, that no variables file of the repository may change. */
  connections: Record<string, Record<string, string | number>>
  /** The file it notes in what Ansible reads: a line each, `f` or `d`, a tab and the absolute path. */
  reads?: string | undefined
}

/**
 * The environment for ansible-playbook: the given one, our callback plugin beside the user's, and everything that Ansible
 * writes of its own accord in `dir` (one playbook's) and `runDir` (the same for all playbooks on these Pis).
 */
export function environmentOf(
  env: NodeJS.ProcessEnv,
  config: AnsibleConfig,
  { dir, runDir, callback }: { dir: string; runDir: string; callback: CallbackSettings },
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
    ...(config.isSet('DEFAULT_LOCAL_TMP') ? {} : { ANSIBLE_LOCAL_TEMP: join(dir, 'tmp') }),
    ...factCache(config, runDir),
  }
}

// A user's fact cache that outlives a playbook must neither tell a test of another Pi of the same name, nor learn from it.
function factCache(config: AnsibleConfig, runDir: string): NodeJS.ProcessEnv {
  const plugin = config.value('CACHE_PLUGIN')
  if (!config.isSet('CACHE_PLUGIN') || plugin === 'memory' || plugin === 'ansible.builtin.memory') return {}
  return { ANSIBLE_CACHE_PLUGIN: 'jsonfile', ANSIBLE_CACHE_PLUGIN_CONNECTION: join(runDir, 'facts') }
}
