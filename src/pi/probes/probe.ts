import { readFileSync } from 'node:fs'
import { messageOf, RaspiError } from '../../errors.ts'
import { askAnswerer, isOpen, type Outcome } from './answerer.ts'
import type { Answer, AnswersTo, Query } from './queries.ts'
import type { CommandOutcome, ProbeTarget } from './target.ts'

const timeoutMs = 120_000
// -I and -S: neither the user's modules nor Debian's *.pth files, which would have to be read from the SD card.
const command = 'python3 -IS -'
let script: string | undefined

interface Waiting {
  query: Query
  resolve(answer: Answer): void
  reject(error: unknown): void
}

const batches = new WeakMap<ProbeTarget, Waiting[]>()

/**
 * Asks a Pi, as root where `sudo -n` allows it. All that is asked of one Pi in the same tick is one round trip.
 * Throws a `RaspiError` of kind 'ssh' where the Pi can't answer a query.
 */
export async function probe<const Q extends readonly Query[]>(
  pi: ProbeTarget,
  queries: Q,
): Promise<AnswersTo<Q>> {
  return (await Promise.all(queries.map((query) => ask(pi, query)))) as AnswersTo<Q>
}

function ask(pi: ProbeTarget, query: Query): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const waiting = { query, resolve, reject }
    const batch = batches.get(pi)
    if (batch) return batch.push(waiting)
    batches.set(pi, [waiting])
    // A microtask and no timer: tests may have replaced those.
    queueMicrotask(() => {
      const all = batches.get(pi) ?? []
      batches.delete(pi)
      answerAll(pi, all).catch((error) => {
        for (const { reject } of all) reject(error)
      })
    })
  })
}

async function answerAll(pi: ProbeTarget, batch: readonly Waiting[]): Promise<void> {
  const { root, answers } = await runScript(
    pi,
    batch.map(({ query }) => query),
  )
  for (const [index, { query, resolve, reject }] of batch.entries()) {
    const answer = answers[index]
    if (answer && !('error' in answer)) resolve({ ...answer, root } as Answer)
    else reject(unanswered(pi, query, root, String(answer?.error)))
  }
}

async function runScript(pi: ProbeTarget, queries: readonly Query[]): Promise<Outcome> {
  script ??= readFileSync(new URL('./probe.py', import.meta.url), 'utf8')
  const known = await askAnswerer(pi, script, queries, timeoutMs)
  const answers = [...(known?.answers ?? [])]
  const open = [...queries.entries()].filter(([index]) => isOpen(answers[index]))
  if (known && open.length === 0) return known
  const anew = await runOnce(
    pi,
    script,
    open.map(([, query]) => query),
  )
  for (const [place, [index]] of open.entries())
    answers[index] = anew.answers[place] ?? { error: 'it gave no answer' }
  return { root: anew.root, answers }
}

async function runOnce(pi: ProbeTarget, script: string, queries: readonly Query[]): Promise<Outcome> {
  // JSON is Python, where it has names for true, false and null.
  const input = `${script}\nmain(${JSON.stringify(queries)})\n`
  const asRoot = await pi.run(command, { input, sudo: true, reject: false, timeoutMs })
  const mayNotSudo = asRoot.exitCode !== 0 && /\bsudo: /.test(asRoot.stderr)
  const outcome = mayNotSudo ? await pi.run(command, { input, reject: false, timeoutMs }) : asRoot
  return parse(pi, outcome)
}

function parse(pi: ProbeTarget, { exitCode, stdout, stderr }: CommandOutcome): Outcome {
  try {
    // Only the last line is ours: a login shell may have greeted before.
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  } catch (cause) {
    const missing = exitCode === 127
    const why = missing
      ? 'it has no python3'
      : `python3 ended with exit code ${exitCode}, ${messageOf(cause)}`
    throw new RaspiError('ssh', `Could not look at ${pi.name}: ${why}`, {
      hint: missing
        ? 'The matchers for a Pi need Python 3.9 or later on it: install the package python3.'
        : undefined,
      evidence: stderr.trimEnd(),
    })
  }
}

function unanswered(pi: ProbeTarget, { kind, ...query }: Query, root: boolean, why: string): RaspiError {
  const about = JSON.stringify(Object.values(query)[0] ?? '')
  const [sentence = '', ...evidence] = why.split('\n')
  return new RaspiError('ssh', `Could not look at ${kind} ${about} on ${pi.name}: ${sentence}`, {
    hint: root
      ? undefined
      : `It was asked without root's rights, because sudo -n does not work for ${pi.connection.user}.`,
    evidence: evidence.join('\n'),
  })
}
