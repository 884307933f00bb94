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
])

/** The options with which Molecule runs a playbook of `step`. */
export function optionsOf({ config }: Pick<Scenario, 'config'>, { action }: Step): PlaybookOptions {
  const { provisioner, ansible, verifier } = config
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
  const given = ansible?.executor?.args?.ansible_playbook ?? provisioner?.ansible_args ?? []
  return {
    skipTags: (skipTags ?? skipTagsToo) ? String(skipTags ?? skipTagsToo) : skipped,
    args: [...args, ...withoutInventories(given).rest, ...(action === 'syntax' ? ['--syntax-check'] : [])],
    ...(action === 'check' ? { check: true } : {}),
    ...(action === 'verify' ? { env: { ...verifier?.env } } : {}),
    ...(options.diff === true ? { diff: true } : {}),
  }
}

/** The inventories that the scenario gives to ansible-playbook itself, as scenarios without platforms do. */
export function inventoriesOf({ config }: Pick<Scenario, 'config'>): string[] {
  const given = config.ansible?.executor?.args?.ansible_playbook ?? config.provisioner?.ansible_args ?? []
  return withoutInventories(given).inventories
}

function withoutInventories(args: readonly string[]): { inventories: string[]; rest: string[] } {
  const inventories: string[] = []
  const rest: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? ''
    const inline = /^(?:--inventory(?:-file)?=|-i(?=.))(.+)$/.exec(arg)?.[1]
    if (inline !== undefined) inventories.push(inline)
    else if (/^(-i|--inventory(-file)?)$/.test(arg)) inventories.push(args[++index] ?? '')
    else rest.push(arg)
  }
  return { inventories, rest }
}

// As Molecule writes them: `vvv: true` becomes --vvv there, which Ansible knows as -vvv only.
function argument(name: string, value: unknown): string[] {
  if (value === false || value === null || name === 'diff') return []
  const dashed = name.replaceAll('_', '-')
  const option = /^v+$/.test(name) ? `-${name}` : `${name.length === 1 ? '-' : '--'}${dashed}`
  return value === true ? [option] : [option, String(value)]
}
