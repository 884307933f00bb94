import type { Command } from 'commander'
import { listOf } from '../host/list-of.ts'
import { manifest } from '../host/manifest.ts'
import { carryOut, planInit, type Versions } from '../init/files.ts'
import { lookAt, type UnreadInventory } from '../init/repository.ts'
import { type CommandContext, json } from './output.ts'

const examples = `
Examples:
  vitest-raspi init                 a first test for the playbook of this repository
  vitest-raspi init playbooks/web.yml
  vitest-raspi init --dry-run       only print what would be made

It makes what is missing and changes nothing that is there.`

/** Adds `init`, which brings a repository of playbooks its first test. */
export function addInit(program: Command, { output, env, cwd }: CommandContext): void {
  program
    .command('init')
    .description('add a first test to a repository of playbooks; never overwrites a file')
    .argument('[playbook]', 'the playbook to test (default: site.yml or the one there is)')
    .option('--dry-run', 'only print what would be made')
    .option('--json', 'print JSON: { playbook, inventory, hosts, created, kept, next }')
    .addHelpText('after', examples)
    .action(async (given: string | undefined, options: { dryRun?: boolean; json?: boolean }) => {
      const repository = await lookAt(cwd, given, env)
      const plan = planInit(repository, versions())
      if (!options.dryRun) carryOut(plan, cwd)
      const { playbook, inventory = null, hosts, unread } = repository
      if (unread) output.err(notice(unread))
      const created = Object.keys(plan.create)
      if (options.json)
        return output.out(json({ playbook, inventory, hosts, created, kept: plan.keep, next: plan.next }))
      const names = listOf(hosts.map(({ name }) => name))
      output.out(`Testing ${playbook} on ${names}${inventory ? ` of ${inventory}` : ''}.`)
      for (const path of created) output.out(`  ${options.dryRun ? 'would make' : 'made'}  ${path}`)
      for (const path of plan.keep) output.out(`  kept  ${path}`)
      output.out(`Next:\n${plan.next.map((step) => `  ${step}`).join('\n')}`)
    })
}

function notice({ inventory = 'an inventory', why: { shortMessage, hint } }: UnreadInventory): string {
  const sentence = `The test is not for the hosts of ${inventory}. ${shortMessage.replace(/\.?$/, '.')}`
  return [sentence, ...(hint?.split('\n') ?? [])].join('\n  ')
}

function versions(): Versions {
  const { version, peerDependencies } = manifest()
  return { vitest: peerDependencies.vitest.replace(/.*\|\|/, '').trim(), 'vitest-raspi': `^${version}` }
}
