import { relative, resolve } from 'node:path'
import type { FrozenPi } from '../freeze/store.ts'
import type { Preparation, PrepareStep } from '../lab/protocol.ts'
import { digest, type Inputs } from './inputs.ts'

/** To be raised when what preparing does to a Pi changes, or what a key is made of. */
const layerVersion = 2

/** Say where something lies whose content counts: the configuration, and what passwords of vaults open. */
const whereabouts = ['ANSIBLE_CONFIG', 'ANSIBLE_VAULT_PASSWORD_FILE', 'ANSIBLE_VAULT_IDENTITY_LIST']

/** What a user asks for: as long as it stays the same, changes can be told. */
export interface Request {
  step: PrepareStep
  hosts: Preparation['hosts']
  projectDir: string
}

/** What else decides what becomes of it, besides what the playbook reads. */
export interface Facts {
  /** The version of ansible-core. */
  ansible: string
  /** Names the variables of the environment that Ansible heeds. */
  environment: string
  /** What each host starts from: by content, for a layer is of use on exactly this card only. */
  parents: string[]
}

/**
 * Names what a user asks for, wherever the project lies. Where passwords of vaults are does not matter: what they open
 * counts by its content.
 */
export function requestKey({ step, hosts, projectDir }: Request): string {
  const { extraVars, tags, skipTags, args } = step
  const playbook = relative(projectDir, resolve(projectDir, step.playbook))
  // Of Ansible's own variables the facts tell.
  const others = Object.entries(step.env ?? {}).filter(([name]) => !name.startsWith('ANSIBLE_'))
  const env = others.length > 0 ? others.sort() : undefined
  return digest({ layerVersion, step: { playbook, extraVars, tags, skipTags, env, args }, hosts })
}

export function factsOf(ansible: string, env: NodeJS.ProcessEnv, parents: readonly FrozenPi[]): Facts {
  const settings = Object.entries(env)
    .filter(([name]) => name.startsWith('ANSIBLE_') && !whereabouts.includes(name))
    .sort()
  return {
    ansible,
    environment: digest(settings),
    parents: parents.map(({ id, cardDigest }) => digest([id, cardDigest])),
  }
}

/** Names all that is known before a playbook has run: with the same recipe it reads the same, as far as it can be seen. */
export function recipeKey(
  request: Request,
  { ansible, environment, parents }: Facts,
  places: Inputs,
): string {
  return digest([requestKey(request), ansible, environment, parents, places])
}

/** The ids of the layers, one for each host: of a recipe, and what the playbook was seen to read. */
export function layerIds(recipe: string, reads: Inputs, { hosts }: Pick<Request, 'hosts'>): string[] {
  return hosts.map(({ name }) => digest([recipe, reads, name]))
}
