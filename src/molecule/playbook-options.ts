import type { PlaybookOptions } from '../ansible/arguments.ts'
import type { Scenario, Step } from './scenario.ts'

/** Options of ansible-playbook that have a name in {@link PlaybookOptions}, or belong to the lab. */
const dropped = new Set([
  'inventory',
  'inventory-file',
  'i',
  'limit',
  'l',
  'subset',
  'ask-vault-pass',
  'ask-become-pass',
  'connection',
  'c',
])

/** The options with which Molecule runs a playbook of `step`. */
export function optionsOf({ config }: Pick<Scenario, 'config'>, { action }: Step): PlaybookOptions {
  const { provisioner, verifier } = config
  const options = { ...provisioner?.options }
  // Molecule's tags come first; options of the scenario replace them.
  const skipped = [
    'molecule-notest',
    'notest',
    ...(action === 'idempotence' ? ['molecule-idempotence-notest'] : []),
  ]
  const { 'skip-tags': skipTags, skip_tags: skipTagsToo, ...others } = options
  // Only converging is done with the scenario's become: the other playbooks say so themselves.
  const converges =
    action === 'converge' || action === 'idempotence' || action === 'check' || action === 'syntax'
  const args = Object.entries(others)
    .filter(([name]) => !dropped.has(name) && (name !== 'become' || converges))
    .flatMap(([name, value]) => argument(name, value))
  return {
    skipTags: (skipTags ?? skipTagsToo) ? String(skipTags ?? skipTagsToo) : skipped,
    args: [...args, ...sorted(config).rest, ...(action === 'syntax' ? ['--syntax-check'] : [])],
    ...(action === 'check' ? { check: true } : {}),
    ...(action === 'verify' ? { env: { ...verifier?.env } } : {}),
    ...(options.diff === true ? { diff: true } : {}),
  }
}

/** The arguments of ansible-playbook by which the scenario says where the passwords of vaults are, for other programs. */
export function vaultArgumentsOf({ config }: Pick<Scenario, 'config'>): string[] {
  const options = Object.entries(config.provisioner?.options ?? {})
  const args = [...options.flatMap(([name, value]) => argument(name, value)), ...sorted(config).rest]
  return args.flatMap((arg, index) => {
    if (!/^--vault-(id|pass(word)?-file)(=|$)/.test(arg)) return []
    return arg.includes('=') ? [arg] : [arg, args[index + 1] ?? '']
  })
}

/** The inventories that the scenario gives to ansible-playbook itself, as scenarios without platforms do. */
export function inventoriesOf({ config }: Pick<Scenario, 'config'>): string[] {
  return sorted(config).inventories
}

/** The connections that the scenario names for ansible-playbook. They are the lab's, and do not apply. */
export function connectionsOf({ config }: Pick<Scenario, 'config'>): string[] {
  const { connection, c } = config.provisioner?.options ?? {}
  const named = [connection, c].filter((name) => name !== undefined && name !== null)
  return [...named.map(String), ...sorted(config).connections]
}

/** What the scenario's arguments of ansible-playbook name of inventories and connections, and those that name neither. */
function sorted({ ansible, provisioner }: Scenario['config']) {
  const args = ansible?.executor?.args?.ansible_playbook ?? provisioner?.ansible_args ?? []
  const inventories: string[] = []
  const connections: string[] = []
  const rest: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? ''
    const [, option, inline] = /^(-[ic]|--(?:inventory(?:-file)?|connection)(?==|$))=?(.*)$/s.exec(arg) ?? []
    if (option === undefined) rest.push(arg)
    else (/^--?i/.test(option) ? inventories : connections).push(inline || (args[++index] ?? ''))
  }
  return { inventories, connections, rest }
}

// As Molecule writes them: `vvv: true` becomes --vvv there, which Ansible knows as -vvv only.
function argument(name: string, value: unknown): string[] {
  if (value === false || value === null || name === 'diff') return []
  const dashed = name.replaceAll('_', '-')
  const option = /^v+$/.test(name) ? `-${name}` : `${name.length === 1 ? '-' : '--'}${dashed}`
  return value === true ? [option] : [option, String(value)]
}
