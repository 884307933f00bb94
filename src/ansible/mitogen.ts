import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { RaspiError } from '../errors.ts'
import { askingEnvironment } from './asking.ts'
import type { AnsibleConfig } from './config.ts'
import { besideAnsible } from './elsewhere.ts'

/** What makes tasks faster: `mitogen` has to, `auto` does where it can be had. */
export type Acceleration = 'mitogen' | 'auto'

/** The directories of Mitogen's strategy plugins, by what decides which Ansible and which Python that is. */
const known = new Map<string, Promise<string>>()

/**
 * The environment by which Ansible runs its tasks through Mitogen (https://mitogen.networkgenomics.com/ansible_detailed.html):
 * one connection and one Python process per Pi instead of one for each task. Empty where the user's configuration has
 * chosen a strategy. Where Mitogen is not installed beside Ansible, or not made for this Ansible, `auto` gives an empty
 * one as well, and `mitogen` throws a `RaspiError`.
 */
export async function mitogenEnvironment(
  wanted: Acceleration | undefined,
  ansiblePlaybook: string,
  env: NodeJS.ProcessEnv,
  config: AnsibleConfig,
): Promise<NodeJS.ProcessEnv> {
  if (wanted === undefined || config.isSet('DEFAULT_STRATEGY')) return {}
  const key = JSON.stringify([ansiblePlaybook, env.PATH, env.VIRTUAL_ENV])
  let path = known.get(key)
  if (!path) {
    path = findStrategies(ansiblePlaybook, env)
    path.catch(() => known.delete(key))
    known.set(key, path)
  }
  const found = wanted === 'auto' ? await path.catch(() => undefined) : await path
  if (found === undefined) return {}
  const plugins = [config.value('DEFAULT_STRATEGY_PLUGIN_PATH')]
    .flat()
    .filter((given) => typeof given === 'string')
  return { ANSIBLE_STRATEGY: 'mitogen_linear', ANSIBLE_STRATEGY_PLUGINS: [...plugins, found].join(':') }
}

/** The interpreter in what `ansible --version` prints. */
export function pythonOf(version: string): string | undefined {
  return /^\s*python version = .*\((\/[^()]+)\)\s*$/m.exec(version)?.[1]
}

/** Where Ansible's own modules are, in what `ansible --version` prints. */
export function modulesOf(version: string): string | undefined {
  const location = /^\s*ansible python module location = (\/.+)$/m.exec(version)?.[1]
  return location && dirname(location)
}

// Asked of Ansible's own Python, because a virtual environment's Ansible has a virtual environment's Mitogen; and with
// this Ansible's modules, of which that Python may know others.
const script = `
import os, sys
from importlib.util import find_spec
sys.path[:0] = sys.argv[1:]
spec = find_spec("ansible_mitogen")
if spec is None:
    sys.exit(3)
print(os.path.join(os.path.dirname(spec.origin), "plugins", "strategy"))
try:
    import ansible_mitogen.loaders
except Exception as error:
    print(" ".join(str(error).split()))
`

async function findStrategies(ansiblePlaybook: string, env: NodeJS.ProcessEnv): Promise<string> {
  const quiet = askingEnvironment(env)
  const options = { env: quiet, extendEnv: false, stdin: 'ignore', reject: false, timeout: 60_000 } as const
  const directory = dirname(ansiblePlaybook)
  const ansible = directory === '.' ? 'ansible' : join(directory, 'ansible')
  const { stdout: version } = await execa(ansible, ['--version'], options)
  const python = pythonOf(String(version ?? ''))
  const hint = 'Install it beside Ansible (Debian has it as ansible-mitogen), or leave out `accelerate`.'
  if (python === undefined)
    throw new RaspiError('ansible', `Mitogen cannot be looked for: ${ansible} does not tell its Python`, {
      hint,
    })
  const modules = [modulesOf(String(version)) ?? []].flat()
  const { exitCode, stdout, stderr } = await execa(
    ...besideAnsible(env, python, ['-c', script, ...modules]),
    options,
  )
  const [path, refusal] = stdout.split('\n')
  if (exitCode === 3 || !path) {
    const why = exitCode === 3 ? `${python} has no module ansible_mitogen` : stderr.trim().split('\n').at(-1)
    throw new RaspiError('ansible', `Mitogen is not there: ${why}`, { hint })
  }
  if (refusal)
    throw new RaspiError('ansible', `Mitogen does not work with this Ansible: ${refusal}`, {
      hint: 'Install another version of one of them, or leave out `accelerate`.',
    })
  return path
}
