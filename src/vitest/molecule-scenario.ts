import { existsSync, mkdtempSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe } from 'vitest'
import * as z from 'zod'
import type { Ansible } from '../ansible/ansible.ts'
import { programEnvironment } from '../ansible/elsewhere.ts'
import { installRequirements, type SearchPaths } from '../ansible/galaxy.ts'
import { describeNoneChosen } from '../ansible/run.ts'
import { hostsForPis, isLocal, readInventory } from '../ansible/user-inventory.ts'
import type { Log } from '../host/progress.ts'
import type { ImageOption } from '../image-option.ts'
import { isEmptyStep, isLocalStep } from '../molecule/local-step.ts'
import { inventoriesOf, optionsOf, vaultArgumentsOf } from '../molecule/playbook-options.ts'
import { readScenario, type Scenario, type Step } from '../molecule/scenario.ts'
import { moleculeEnvironment, surround } from '../molecule/surroundings.ts'
import { checkOptions, optionObject, testTimeout } from '../option-objects.ts'
import { expect } from './expect.ts'
import { testOf } from './fixtures.ts'
import { injected } from './injected.ts'
import { ownVariables } from './own-variables.ts'
import { kept, type Plan, type PlanPlace } from './plan.ts'
import { stages } from './stages.ts'

const moleculeSchema = optionObject({
  /** Another image than the plugin's. */
  image: z.custom<ImageOption>().optional(),
  /** The time that each step may take, in ms. @default the project's testTimeout */
  timeout: testTimeout.optional(),
})

/** How a Molecule scenario is run. */
export type MoleculeOptions = z.input<typeof moleculeSchema>

/**
 * Registers a Molecule scenario as tests, one for each step of its `test_sequence`: prepare, converge, idempotence,
 * side_effect, verify, cleanup. `path` is the directory of its molecule.yml, relative to the project. Its platforms are
 * emulated Pis, which its steps share; what of it is meant for another driver is told once and left out. Where prepare,
 * converge or side_effect fails, the steps after it are skipped, but for cleanup. Throws a `RaspiError` where it is no scenario.
 * @example moleculeScenario('molecule/default')
 */
export function moleculeScenario(path: string, options: MoleculeOptions = {}): void {
  checkOptions('moleculeScenario()', moleculeSchema, options)
  const { projectDir: root, replaced } = injected('raspiLab')
  const scenario = readScenario(path, root, {}, ownVariables(replaced))
  let log: Log = () => {}
  const plan = kept((place) => {
    log = place.log
    return planOf(path, place)
  })
  const test = testOf(plan, { ...options, scope: 'file' })
  describe(`molecule ${scenario.name}`, () => {
    const stage = stages()
    for (const step of scenario.steps) {
      test(step.title, timeoutOf(options), async ({ ansible, skip }) => {
        const ground = ['prepare', 'converge', 'side_effect', 'syntax'].includes(step.action)
        const stand = { skip, ground, always: step.action === 'cleanup' }
        await stage(step.title, stand, () => perform({ ansible, root, log }, scenario, step))
      })
    }
  })
}

/** The options of a test that has its own timeout. */
export const timeoutOf = ({ timeout }: { timeout?: number | undefined }) =>
  timeout === undefined ? {} : { timeout }

interface Stage {
  ansible: Ansible
  root: string
  log: Log
}

async function perform({ ansible, root, log }: Stage, scenario: Scenario, step: Step): Promise<void> {
  for (const playbook of step.playbooks) {
    const run = await ansible.playbook(relative(root, playbook), optionsOf(scenario, step))
    if (step.action === 'idempotence') expect(run).toBeIdempotent()
    else if (run.noneChosen && isEmptyStep(step, run))
      log(`${run.playbook} did nothing in the step ${step.title}: ${describeNoneChosen(run.noneChosen)}`)
    // A check of the syntax has no host to do anything on.
    else if (step.action !== 'syntax' && !isLocalStep(step, run)) expect(run).toSucceed()
  }
}

async function planOf(path: string, place: PlanPlace): Promise<Plan> {
  const { projectDir: root, runDir, log, signal } = place
  const dir = mkdtempSync(join(runDir, 'molecule-'))
  // Once more, because molecule.yml may name the directory that there is only now.
  const given = ownVariables(injected('raspiLab').replaced)
  const found = readScenario(path, root, {}, given)
  const scenario = readScenario(path, root, moleculeEnvironment(found, dir), given)
  if (scenario.notApplied.length > 0)
    log(`${path}: its machines are emulated Pis, so this does not apply: ${scenario.notApplied.join('; ')}.`)
  const { inventory, env, paths } = surround(scenario, dir)
  const programEnv = programEnvironment(place.programEnv, env)
  const cwd = scenario.dir
  const sources = [
    inventory,
    ...inventoriesOf(scenario).map((source) => (source.includes(',') ? source : resolve(cwd, source))),
  ]
  const args = vaultArgumentsOf(scenario)
  const read = await readInventory(sources, { projectDir: cwd, args, env: programEnv, signal })
  const platforms = (scenario.config.platforms ?? []).map(({ name }) => name)
  // Molecule's playbooks work on every host of its inventory, and so on this machine where that is listed.
  const here = read.hosts.filter((host) => isLocal(read, host))
  const worked = platforms.length > 0 ? [...new Set([...platforms, ...here])] : read.hosts
  const { pis, local } = hostsForPis(read, worked, true)
  const installed = await dependencies(scenario, { ...place, env: programEnv })
  return {
    hosts: Object.fromEntries(pis.map((name) => [name, {}])),
    ansible: {
      projectDir: root,
      cwd,
      inventory: read,
      localHosts: local,
      vaultDirs: [scenario.projectDir],
      defaults: { env },
      paths: {
        roles: [...paths.roles, ...installed.roles],
        collections: [...paths.collections, ...installed.collections],
      },
    },
    vars: read.vars,
  }
}

/** Molecule's dependency step and its prerun: the requirements of the scenario and of the project, where there are any. */
async function dependencies(
  { config, dir, projectDir }: Scenario,
  context: PlanPlace & { env: NodeJS.ProcessEnv },
): Promise<SearchPaths> {
  const { dependency } = config
  const paths: SearchPaths = { roles: [], collections: [] }
  if (dependency?.enabled === false) return paths
  const option = (name: string, usual: string) => {
    const value = dependency?.options?.[name] ?? dependency?.options?.[name.replace('-', '_')]
    // Molecule takes these from where it is started, the project's directory; its default lies with the scenario.
    return typeof value === 'string' ? resolve(projectDir, value) : join(dir, usual)
  }
  const files = new Set([
    option('role-file', 'requirements.yml'),
    option('requirements-file', 'collections.yml'),
    join(projectDir, 'requirements.yml'),
  ])
  for (const file of files) {
    if (!existsSync(file)) continue
    const installed = await installRequirements(file, { ...context, projectDir })
    paths.roles.push(...installed.roles)
    paths.collections.push(...installed.collections)
  }
  return paths
}
