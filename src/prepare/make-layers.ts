import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Ansible } from '../ansible/ansible.ts'
import type { AnsibleRun } from '../ansible/run.ts'
import { describeNoneChosen, describePis, describeTags, describeTask } from '../ansible/run.ts'
import { RaspiError } from '../errors.ts'
import { privateDir } from '../host/paths.ts'
import type { LivePi } from '../lab/live-pi.ts'
import { makeFrozen } from '../lab/make-frozen.ts'
import { runBySsh } from '../pi/ssh.ts'
import { installedDirs } from './installed.ts'
import { environmentOfStep } from './options.ts'
import type { Places } from './places.ts'
import type { FrozenSource, Layer } from './prepare.ts'
import { type Reads, readsOf } from './reads.ts'

/** What a Pi calls itself while it is prepared: as all do that nobody has named. A copy gets a name of its own. */
const hostname = 'raspberrypi'

/**
 * The last thing done to a prepared Pi: what its journal and its login records tell is of a Pi that no test knows. It
 * goes on in memory, and begins anew with the next boot.
 */
const sealScript = `
journalctl --relinquish-var
find /var/log/journal -mindepth 1 -delete
for f in wtmp btmp lastlog; do [ -e /var/log/$f ] && : > /var/log/$f; done
sync
`

/**
 * Runs the playbook of a layer on a Pi of each parent, all at once, and freezes what became of them under the ids that
 * `name` gives for what the playbook was seen to read. Throws a `RaspiError` where a task fails, or nothing is done.
 */
export async function makeLayers(
  layer: Layer,
  { places, since }: { places: Places; since: number },
  name: (reads: Reads) => Promise<string[]>,
): Promise<FrozenSource[]> {
  const { parents, step, hosts, context } = layer
  const dir = privateDir(context.machineDir, `p${++count}`)
  const leave = await context.room(parents.length)
  const started = await Promise.allSettled(parents.map((parent) => context.start(parent, hostname)))
  const pis = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  try {
    const failure = started.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
    await Promise.all(pis.map((pi) => pi.handOver()))
    const readsFile = join(dir, 'reads')
    await runPlaybook(layer, pis, dir, readsFile)
    const { projectDir } = layer.preparer
    const scratch = [dir, context.machineDir, context.cacheDir, ...installedDirs(layer.paths)]
    const ids = await name(await readsOf(readsFile, { places, projectDir, scratch, since }))
    return await Promise.all(
      pis.map(async (pi, index) => {
        const [parent, id] = [parents[index] as FrozenSource, ids[index] ?? '']
        await shutDown(pi)
        const prepared = { playbook: step.playbook, host: hosts[index]?.name ?? '' }
        return freezeLayer(parent, pi, { id, parent: parent.frozen.id, prepared }, layer)
      }),
    )
  } finally {
    await Promise.all(pis.map((pi) => context.end(pi)))
    leave()
    await rm(dir, { recursive: true, force: true, maxRetries: 2 })
  }
}

let count = 0

async function runPlaybook(layer: Layer, pis: LivePi[], runDir: string, readsFile: string): Promise<void> {
  const { step, hosts, paths, preparer, context } = layer
  const lost = new AbortController()
  for (const pi of pis) pi.machine.whenLost((error) => lost.abort(error))
  const ansible = new Ansible({
    ...{ projectDir: preparer.projectDir, timeoutMs: preparer.timeoutMs, runDir, readsFile, paths },
    ...{ log: context.log, programEnv: context.programEnv },
    signal: AbortSignal.any([context.signal, lost.signal]),
    targets: pis.map((pi, index) => ({
      ...{ ...pi.connection, controlPath: pi.controlPath },
      ...(hosts[index] as (typeof hosts)[number]),
    })),
  })
  const { playbook, extraVars, tags, skipTags, args, vaultPasswordFile, vaultIds } = step
  const run = await ansible.playbook(playbook, {
    ...(extraVars && { extraVars }),
    ...(tags && { tags }),
    ...(skipTags && { skipTags }),
    env: environmentOfStep(step),
    ...(args && { args }),
    ...(vaultPasswordFile && { vaultPasswordFile }),
    ...(vaultIds && { vaultIds }),
  })
  if (!run.ok) throw failed(run, layer)
  if (!run.hadPi) {
    throw new RaspiError('ansible', `${playbook} prepares nothing: none of its plays matched a Pi`, {
      hint: `Pis: ${describePis(run)}. Hosts of the plays: ${run.plays.map((play) => play.hosts).join(', ') || 'there is none'}.`,
    })
  }
  if (run.noneChosen) {
    throw new RaspiError('ansible', `${playbook} prepares nothing: ${describeNoneChosen(run.noneChosen)}`, {
      hint: `${describeTags(run.noneChosen)}.`,
    })
  }
}

function failed(run: AnsibleRun, { preparer, hosts }: Layer): RaspiError {
  const [task] = run.failed
  const where = task ? ` at ${describeTask(task)} on ${task.host}` : ` with exit code ${run.exitCode}`
  const who = hosts.map(({ name }) => name).join(', ')
  return new RaspiError('ansible', `${run.playbook}, which is to prepare ${who}, failed${where}`, {
    hint: 'It is not tried again in this run: all tests that start from there fail with it.',
    evidence: preparer.describeFailure(run),
  })
}

async function shutDown(pi: LivePi): Promise<void> {
  await pi.settled()
  const options = { sudo: true, reject: false, signal: pi.signal }
  await runBySsh(pi.identity.hostname, pi.connection, pi.controlPath, sealScript, options)
  await pi.machine.shutDown()
}

async function freezeLayer(
  { image, board, frozen: parent }: FrozenSource,
  pi: LivePi,
  about: { id: string; parent: string; prepared: { playbook: string; host: string } },
  { context }: Layer,
): Promise<FrozenSource> {
  const of = { place: pi.machine.place, card: pi.machine.card, parent }
  const plan = { about, image, board, of, mustBeWarm: false }
  return { image, board, frozen: await context.turn(() => makeFrozen(plan, context)) }
}
