import { type Command, Option } from 'commander'
import { groupsOf, readInventory } from '../ansible/user-inventory.ts'
import { boardNames } from '../board-option.ts'
import { RaspiError } from '../errors.ts'
import { listOf } from '../host/list-of.ts'
import { duration } from '../host/progress.ts'
import { lockFileIn } from '../image/lock-file.ts'
import { parseReference } from '../image/reference.ts'
import type { RaspiOptions } from '../options.ts'
import { StandingLabs } from '../standing/client.ts'
import { detachLab } from '../standing/detach.ts'
import { holdLab } from '../standing/hold.ts'
import { checkName, hostnameOf } from '../standing/names.ts'
import type { StandingPi, StandingRequest, StandingStart } from '../standing/protocol.ts'
import type { LabEntry, Registry } from '../standing/registry.ts'
import { parseCount, parseLifetime, roughly } from './duration.ts'
import { interruptible } from './interrupt.ts'
import { type CommandContext, cacheDirOption, json, table } from './output.ts'
import { addProjectFlags, fromProject, orElse } from './project/from-project.ts'
import type { ProjectFlags } from './project/projects.ts'
import { usual } from './project/settings.ts'
import { showProgress } from './up-progress.ts'

const examples = `
Examples:
  vitest-raspi up                           one Pi, boreas, until Ctrl-C
  vitest-raspi up web db --detach           two Pis that stay up when this terminal closes
  vitest-raspi up --count 4                 boreas, zephyrus, notus and eurus
  vitest-raspi up --inventory hosts.ini     a Pi for each host of an inventory, in its groups
  vitest-raspi up a b --network mgmt --bmc  two Pis on a network of theirs, with BMCs
  ansible-playbook -i "$(vitest-raspi inventory)" site.yml`

/** How long a detached lab stands where nobody says otherwise, in ms. */
const detachedLifetimeMs = 8 * 3_600_000

interface UpOptions extends ProjectFlags {
  inventory?: string
  count?: number
  image?: string
  board?: NonNullable<RaspiOptions['board']>
  cacheDir?: string
  maxPis?: number
  sshPort: number
  for?: number
  network: string[]
  bmc?: boolean
  off?: boolean
  enroll?: boolean
  detach?: boolean
  json?: boolean
}

/** Adds `up`, which brings Pis up that stand until they are told to go. */
export function addUp(program: Command, context: CommandContext): void {
  const command = program
    .command('up')
    .description('bring up Pis that stay up until Ctrl-C, or with --detach until `down`')
    .argument('[names...]', 'what they are called (default: boreas, zephyrus, notus, eurus, pi-5, …)')
    .option('-i, --inventory <path>', 'a Pi for each host of this inventory, in its groups')
    .option('-n, --count <n>', 'how many, with names that are free', parseCount(1, 64))
    .option('--image <name>', `what they boot ${orElse(usual.image)}`)
    .addOption(new Option('--board <name>', `what QEMU emulates ${orElse(usual.board)}`).choices(boardNames))
    .option('-d, --detach', 'leave them running in the background')
    .option(
      '--for <time>',
      'end them after this time: 90s, 30m, 8h, 2d (default: 8h with --detach, else never)',
      parseLifetime,
    )
    .option(
      '--network <name>',
      'put them on this network of theirs; repeat it for several (in an inventory: raspi_networks of a host)',
      (name: string, before: string[]) => [...before, name],
      [],
    )
    .option('--bmc', 'give each a BMC, for ipmitool and the like')
    .addOption(new Option('--off', 'leave them without power').conflicts('enroll'))
    .option('--enroll', 'leave them without power and with nothing on their cards: see `provision`')
    .option('--ssh-port <port>', 'the first of their ssh ports', parseCount(1, 65_535), 2222)
    .option(
      '--max-pis <n>',
      `the most Pis that may live here ${orElse('what memory and cores bear')}`,
      parseCount(1, 64),
    )
    .addOption(cacheDirOption('where images and frozen Pis are kept', orElse))
  addProjectFlags(command)
    .option('--json', 'print JSON: { pis, inventory, sshConfig, until }')
    .addHelpText('after', examples)
    .action((names: string[], options: UpOptions) => up(names, options, context))
}

async function up(names: string[], options: UpOptions, { output, env, cwd }: CommandContext): Promise<void> {
  // A wrong name is refused before anything is said to be starting.
  if (options.image !== undefined) parseReference(options.image, cwd)
  const lifetimeMs = options.for ?? (options.detach ? detachedLifetimeMs : undefined)
  const wanted = await wantedPis(names, options, { env, cwd })
  const asked = ['image', 'board', 'cacheDir', 'maxPis', 'lockDir', 'engineChoice', 'share'] as const
  const taken = await fromProject(options, asked, { cwd, env, log: output.err })
  const { image, board, cacheDir, maxPis } = { ...options, ...taken }
  const request: StandingRequest = {
    ...wanted,
    firstPort: options.sshPort,
    ...{ networks: options.network, bmc: options.bmc === true, start: startOf(options) },
    options: { image, board, cacheDir, maxPis, engine: taken.engineChoice, share: taken.share },
    lockFile: lockFileIn(taken.lockDir ?? cwd),
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
  }
  const labs = new StandingLabs(env)
  const { registry } = labs
  const moving = output.watched === true && !options.json
  if (options.detach) {
    const claimed: string[] = []
    await interruptible(
      (signal) =>
        showProgress(output, moving, ({ line, ...progress }) =>
          detachLab(request, {
            ...{ registry, log: line, up: progress.up, signal },
            claimed: (chosen) => {
              claimed.push(...chosen)
              progress.claimed(chosen)
            },
          }),
        ),
      new RaspiError('cancelled', 'Interrupted: no Pi was left running.'),
    )
    // Others may have been taken down already.
    const found = (await labs.list()).filter(({ name }) => claimed.includes(name))
    const [first] = found
    if (first) report(found, first.lab, registry, options, output.out)
    return
  }
  const ready = Promise.withResolvers<void>()
  let held: Promise<string> | undefined
  const shown = showProgress(output, moving, ({ line, claimed, up }) => {
    held = holdLab(request, { registry, detached: false, log: line, claimed, up }, (lab) => {
      ready.resolve()
      // The list has to stand still before.
      void shown.then(() => report(lab.list(), lab.entry, registry, options, output.out))
    })
    return Promise.race([ready.promise, held])
  })
  await shown
  const why = await held
  output.err(`The lab has ended: ${why}.`)
}

function startOf({ off, enroll }: UpOptions): StandingStart {
  if (enroll) return 'enrolled'
  return off ? 'off' : 'on'
}

/** What is to be brought up: by names, by number, or by an inventory. */
export async function wantedPis(
  names: readonly string[],
  { inventory, count }: Pick<UpOptions, 'inventory' | 'count'>,
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): Promise<Pick<StandingRequest, 'pis' | 'groupChildren'>> {
  const given = [names.length > 0 && 'names', inventory && '--inventory', count && '--count'].filter(Boolean)
  if (given.length > 1)
    throw new RaspiError('options', `${listOf(given as string[])} cannot be given together.`)
  if (inventory) {
    // What lies beside the playbooks is not for the inventory of these Pis: whoever runs a playbook has it anyway, and anew.
    const context = { projectDir: cwd, env, playbookVars: false }
    const read = await readInventory(inventory, context)
    if (read.hosts.length === 0) throw new RaspiError('options', `The inventory ${inventory} has no host.`)
    const pis = read.hosts.map((name) => {
      const vars = read.vars[name] ?? {}
      const networks = networksOf(name, vars)
      return {
        ...{ name, hostname: hostnameOf(name), groups: groupsOf(read, name), vars },
        ...(networks && { networks }),
      }
    })
    const nameless = pis.find(({ hostname }) => hostname === '')
    if (nameless) {
      throw new RaspiError(
        'options',
        `${nameless.name} can have no hostname: its name has none of a-z and 0-9.`,
        {
          hint: 'Give it another name in the inventory.',
        },
      )
    }
    const twice = pis.find(({ hostname }, index) => pis.findIndex((pi) => pi.hostname === hostname) < index)
    if (twice) {
      const alike = pis.filter(({ hostname }) => hostname === twice.hostname).map(({ name }) => name)
      throw new RaspiError('options', `${listOf(alike)} would have the same hostname, ${twice.hostname}.`, {
        hint: 'Give the hosts of the inventory names that differ in their letters and digits.',
      })
    }
    const parents = Object.entries(read.groups).filter(([, { children }]) => children.length > 0)
    return { pis, groupChildren: Object.fromEntries(parents.map(([name, { children }]) => [name, children])) }
  }
  for (const name of names) checkName(name)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice) throw new RaspiError('options', `${twice} is named twice.`)
  const pis = names.map((name) => ({ name, hostname: name, groups: [], vars: {} }))
  return { pis: pis.length > 0 ? pis : (count ?? 1), groupChildren: {} }
}

/** The networks that an inventory puts a host on, where it says so. Throws a `RaspiError` where they are no list of names. */
function networksOf(
  host: string,
  { raspi_networks: networks }: Record<string, unknown>,
): string[] | undefined {
  if (networks === undefined) return undefined
  if (Array.isArray(networks) && networks.every((name) => typeof name === 'string')) return networks
  throw new RaspiError('options', `The inventory's raspi_networks of ${host} is no list of names.`, {
    hint: `Write it as raspi_networks="['pxe', 'mgmt']" in INI, or as a list in YAML.`,
  })
}

function report(
  pis: readonly StandingPi[],
  entry: LabEntry,
  registry: Registry,
  options: UpOptions,
  out: (line: string) => void,
) {
  const { inventoryDir: inventory, sshConfig } = registry
  const { until = null } = entry
  if (options.json) return out(json({ pis: pis.map(withoutLab), inventory, sshConfig, until }))
  const start = startOf(options)
  const rows = pis.map(({ name, sshPort, origin, startMs, bmc }) => [
    name,
    String(sshPort),
    start === 'on' ? `${origin} in ${duration(startMs ?? 0)}` : start,
    ...(bmc ? [`${bmc.host}:${bmc.port}`] : []),
  ])
  const end = until ? `They end by themselves in ${roughly(Date.parse(until) - Date.now())}.` : ''
  const byHand = options.detach ? '`vitest-raspi down` ends them.' : 'Ctrl-C ends them.'
  for (const line of [
    ...table(['NAME', 'SSH PORT', 'STARTED', ...(options.bmc ? ['BMC'] : [])], rows),
    '',
    ...(start === 'on' ? [] : [waking[start]]),
    `Log in:         vitest-raspi ssh ${pis[0]?.name}`,
    ...(options.bmc ? ['BMCs:           vitest-raspi ls --json has their users and passwords'] : []),
    `By other tools: ssh -F ${sshConfig} ${pis[0]?.name}`,
    `Ansible:        ansible-playbook -i ${inventory} …`,
    '',
    [end, byHand].filter(Boolean).join(' '),
  ])
    out(line)
}

/** What brings Pis to life that came up without. */
const waking = {
  off: 'Switch on:      vitest-raspi power NAME on',
  enrolled: 'Deploy:         vitest-raspi provision NAME provide, and then deploy',
}

const withoutLab = ({ lab: _, ...pi }: StandingPi & { lab?: unknown }) => pi
