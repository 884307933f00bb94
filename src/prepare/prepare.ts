import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '../ansible/config.ts'
import { programEnvironment } from '../ansible/elsewhere.ts'
import type { AnsibleRun } from '../ansible/run.ts'
import type { PiSource } from '../engine/engine.ts'
import { RaspiError } from '../errors.ts'
import { type FrozenPi, frozenDir } from '../freeze/store.ts'
import { exclusively } from '../host/lock.ts'
import { phase } from '../host/progress.ts'
import type { Prepare, PrepareContext } from '../lab/prepare.ts'
import type { Preparation, PrepareStep } from '../lab/protocol.ts'
import { fetchFrozen, offerFrozen } from '../share/frozen-pis.ts'
import type { Share } from '../share/share.ts'
import { contentsOf, digest, type Inputs, inputsOf } from './inputs.ts'
import { installedOf } from './installed.ts'
import { factsOf, layerIds, recipeKey, requestKey } from './key.ts'
import { makeLayers } from './make-layers.ts'
import { environmentOfStep } from './options.ts'
import { placesOf } from './places.ts'
import { reasonToMake } from './reason.ts'
import { type LayerRecord, namesSchema, readRecord, recordSchema, writeRecord } from './records.ts'
import { fetchNames, namesFileName, offerNames } from './share-names.ts'

/** What a preparer needs to know. */
export interface PreparerContext {
  /** Where ansible.cfg, the roles and the playbooks are. */
  projectDir: string
  /** How long a playbook may run, in ms. */
  timeoutMs: number
  /** The failed tasks of a run, for people. */
  describeFailure(run: AnsibleRun): string
  /** What makes layers. @default {@link makeLayers} */
  make?: typeof makeLayers
}

/** A frozen Pi and the source it makes: what a layer lies on, and what it becomes. */
export type FrozenSource = PiSource & { frozen: FrozenPi }

/** One step of a preparation, on its way. */
export interface Layer {
  step: PrepareStep
  hosts: Preparation['hosts']
  paths?: Preparation['paths']
  /** What each host starts from. */
  parents: FrozenSource[]
  preparer: PreparerContext
  context: PrepareContext
}

/** Makes what prepares Pis for a lab: runs playbooks once, and freezes what became of the Pis. */
export function preparer(preparer: PreparerContext): Prepare {
  return async (source, { steps, hosts, paths }, context) => {
    let sources = hosts.map(() => frozenOf(source, steps))
    for (const step of steps) {
      sources = await resolveLayer({ step, hosts, paths, parents: sources, preparer, context })
    }
    return sources
  }
}

function frozenOf(source: PiSource, [step]: PrepareStep[]): FrozenSource {
  if (source.frozen) return { ...source, frozen: source.frozen }
  throw new RaspiError(
    'freeze',
    `${step?.playbook} cannot prepare Pis of ${source.image.name}: they cannot be frozen here`,
    { hint: 'Run the playbook in the tests themselves: `await ansible.playbook(…)`.' },
  )
}

/** Gives the layers of a step, one for each host: those in the cache, or new ones. Says which, and why. */
async function resolveLayer(layer: Layer): Promise<FrozenSource[]> {
  const { step, hosts, parents, preparer, context } = layer
  const { cacheDir, log, signal, share } = context
  const { make = makeLayers } = preparer
  const since = Date.now()
  const env = programEnvironment(context.programEnv, environmentOfStep(step))
  const config = await readConfig('ansible-playbook', { cwd: preparer.projectDir, env })
  const places = placesOf(step.playbook, preparer.projectDir, config)
  const own = await inputsOf(places, preparer.projectDir)
  const inputs = { ...own, ...(await installedOf(layer.paths)) }
  const request = { step, hosts, projectDir: preparer.projectDir }
  const frozen = parents.map((parent) => parent.frozen)
  const facts = factsOf(context.ansibleVersion, env, frozen)
  const recipe = recipeKey(request, facts, inputs)
  const about = [
    preparer.projectDir,
    requestKey(request),
    frozen.map(({ image, board }) => [image.name, board.name]),
  ]
  const namesFile = join(cacheDir, 'layers', recipe, namesFileName)
  const recordFile = join(cacheDir, 'layers', `${digest(about)}.json`)

  const look = async () => {
    const names = await readRecord(namesFile, namesSchema)
    const reads = await contentsOf(names ?? [], preparer.projectDir)
    const record: LayerRecord = { ...facts, inputs: { ...inputs, ...reads } }
    return { record, ...(names ? await readLayers(layer, recipe, reads) : {}) }
  }
  const cached = async (sources: FrozenSource[], record: LayerRecord, why: string) => {
    log(`${step.playbook}: from the cache, ${why}`)
    await writeRecord(recordFile, record)
    if (share) {
      for (const source of sources) offerFrozen(share, source.frozen)
      offerNames(share, recipe, namesFile)
    }
    return sources
  }

  const found = await look()
  if (found.sources) return cached(found.sources, found.record, 'nothing that it reads has changed')
  const lock = { log, signal, waitingFor: `Layer of ${step.playbook}` }
  return exclusively(join(cacheDir, 'layers', recipe), lock, async () => {
    const now = await look()
    if (now.sources) return cached(now.sources, now.record, 'another process has made it')
    if (share && !now.damage && (await fetchLayer(layer, { recipe, namesFile, share }))) {
      const fetched = await look()
      if (fetched.sources) return cached(fetched.sources, fetched.record, 'another machine has made it')
    }
    const last = await readRecord(recordFile, recordSchema)
    // What a new recipe reads is yet to be seen: what became of that which the last one has read tells the reason.
    const known = await contentsOf(Object.keys(last?.inputs ?? {}), preparer.projectDir)
    const record = { ...now.record, inputs: { ...known, ...now.record.inputs } }
    log(`${step.playbook}: ${reasonToMake(last, record, now.damage)}`)
    const who = hosts.map(({ name }) => name).join(', ')
    return phase(log, `Preparing ${who} by ${step.playbook}, once (a minute besides the playbook)`, () =>
      make(layer, { places, since }, async ({ names, unsure }) => {
        const after = await inputsOf(places, preparer.projectDir)
        if (unsure.length > 0 || digest(after) !== digest(own)) {
          log(
            `${step.playbook}: ${unsure[0] ?? 'what it reads'} changed while it ran, so it is made again next time`,
          )
          return hosts.map(({ name }) => digest([recipe, name, randomUUID()]))
        }
        const reads = await contentsOf(names, preparer.projectDir)
        await writeRecord(namesFile, names)
        if (share) offerNames(share, recipe, namesFile)
        await writeRecord(recordFile, { ...facts, inputs: { ...inputs, ...reads } })
        return layerIds(recipe, reads, request)
      }),
    )
  })
}

/** Fetches what a share has of a layer into the cache, and tells whether there is any. */
async function fetchLayer(
  layer: Layer,
  { recipe, namesFile, share }: { recipe: string; namesFile: string; share: Share },
): Promise<boolean> {
  const { parents, preparer, context } = layer
  const { cacheDir, signal } = context
  const names = (await readRecord(namesFile, namesSchema)) ?? (await fetchNames(share, recipe, context))
  if (!names) return false
  await writeRecord(namesFile, names)
  const ids = layerIds(recipe, await contentsOf(names, preparer.projectDir), layer)
  let fetched = true
  for (const [index, { frozen: parent }] of parents.entries()) {
    const wanted = { cacheDir, id: ids[index] ?? '', parent: parent.id }
    fetched &&= existsSync(frozenDir(cacheDir, wanted.id)) || (await fetchFrozen(share, wanted, signal))
  }
  return fetched
}

/** The layers in the cache, where all hosts have one; else what is wrong with one. */
async function readLayers(
  layer: Layer,
  recipe: string,
  reads: Inputs,
): Promise<{ sources?: FrozenSource[]; damage?: string | undefined }> {
  const ids = layerIds(recipe, reads, layer)
  const found = await Promise.all(
    layer.parents.map(async ({ image, board, frozen: parent }, index) => {
      const id = ids[index] ?? ''
      const frozen = await layer.context.engine.find(id, image, board, parent.id)
      return typeof frozen === 'object' ? { image, board, frozen } : frozen
    }),
  )
  const sources = found.filter((each) => typeof each === 'object')
  if (sources.length === found.length) return { sources }
  return { damage: found.find((each) => typeof each === 'string') }
}
