import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { placeOf, titleOf } from '../ansible/run.ts'
import { messageOf } from '../errors.ts'
import type { LentPi } from '../lab/protocol.ts'
import { ConsoleLog } from '../machine/console-log.ts'
import { runBySsh } from '../pi/ssh.ts'
import { failureReport } from '../vitest/run-report.ts'
import { slug } from './evidence-dir.ts'
import { maskSecrets, secretsOf } from './mask.ts'
import { type RunRecord, tasksOf } from './run-record.ts'
import { cutText, diffOf } from './text.ts'
import { qemuLogOf, timeline } from './timeline.ts'

/** A Pi that was lent to the test. */
export interface EvidencePi {
  lent: LentPi
  /** Set once it is gone against its holder's will. */
  lost?: { at: number; reason: unknown }
}

/** What evidence is made of. */
export interface EvidenceSource {
  pis: readonly EvidencePi[]
  records: readonly RunRecord[]
  /** When the test asked for the Pis, and when they were lent, in ms since the epoch. */
  askedAt: number
  lentAt: number
  queuedMs: number
  projectDir: string
  /** Variables whose values may be secret. */
  vars: unknown
  /** The networks between the Pis, which write down what went through them last. */
  networks?: readonly { name: string; saveRecent(file: string): Promise<number> }[]
}

/** The texts of a test's evidence, by the names of their files. */
export type EvidenceFiles = Record<string, string>

/** How much is kept, in characters: of a text, of a run's events; and of how many runs, the last ones. */
const limits = { text: 256 * 1024, events: 1024 * 1024, runs: 5 }

/** How long a guest may take to tell what it knows, a run that is being stopped to stop, and all together, in ms. */
const patience = { guest: 2_200, run: 300, all: 2_400 }

/**
 * Gathers what is known of a test's Pis and playbooks: consoles, QEMU's command lines and messages, journals since they
 * were lent, failed units, runs and their events, a timeline. Takes at most 2.4 s, and leaves out what it cannot have. Secrets are masked.
 */
export async function gatherEvidence(source: EvidenceSource): Promise<EvidenceFiles> {
  const endedAt = Date.now()
  const files: EvidenceFiles = {}
  const secrets = secretsIn(source)
  const keep = (name: string, text: string, limit: number = limits.text) => {
    if (text.trim()) files[name] = cutText(maskSecrets(text, secrets), limit)
  }
  const guests = source.pis.map(async ({ lent, lost }) => {
    keep(`${slug(lent.name)}.console.log`, await new ConsoleLog(lent.consoleFile).tail(1_000))
    keep(`${slug(lent.name)}.qemu.log`, await readFile(qemuLogOf(lent), 'utf8').catch(() => ''))
    // QEMU's last words are in the reason; there is nobody left to ask.
    if (lost) return keep(`${slug(lent.name)}.lost.txt`, messageOf(lost.reason))
    const { failedUnits, journal } = await askGuest(lent, source.lentAt)
    keep(`${slug(lent.name)}.failed-units.txt`, failedUnits)
    keep(`${slug(lent.name)}.journal.log`, journal)
  })
  const runs = source.records.map((record, index) => ({ record, number: index + 1 })).slice(-limits.runs)
  const done = async () => {
    // A playbook that was stopped with its test tells in a moment at which task that was.
    await until(() => source.records.every(({ endedAt }) => endedAt !== undefined), patience.run)
    for (const { record, number } of runs) {
      const name = `${number}-${slug(record.playbook)}`
      keep(`${name}.log`, logOf(record))
      keep(`${name}.failure.txt`, failureOf(record, source.projectDir))
      keep(`${name}.events.jsonl`, eventsOf(record), limits.events)
    }
    keep('timeline.txt', timeline({ ...source, endedAt }))
  }
  const everything = Promise.allSettled([...guests, done()])
  await Promise.race([everything, delay(patience.all, undefined, { ref: false })])
  return { ...files }
}

async function askGuest(lent: LentPi, since: number): Promise<{ failedUnits: string; journal: string }> {
  const separator = '--- journal ---'
  const command = [
    'systemctl list-units --failed --plain --no-legend --no-pager',
    `echo '${separator}'`,
    `journalctl --since=@${Math.floor(since / 1_000)} --lines=1000 --output=short-precise --quiet --no-pager`,
  ].join('; ')
  const { name, connection, controlPath } = lent
  // Not by `pi.run()`: a test that has timed out has stopped that.
  const { stdout } = await runBySsh(name, connection, controlPath, command, {
    ...{ sudo: true, reject: false, timeoutMs: patience.guest },
  })
  const [failedUnits = '', journal = ''] = stdout.split(`${separator}\n`)
  return { failedUnits, journal }
}

function logOf({ run }: RunRecord): string {
  if (!run) return ''
  return [`$ ${run.command}\n`, run.stdout, run.stderr && `\n--- stderr ---\n${run.stderr}`]
    .filter(Boolean)
    .join('\n')
}

/** The tasks that failed and the one that was at work, with all that is known of them. */
function failureOf(record: RunRecord, projectDir: string): string {
  const { tasks, current } = tasksOf(record, projectDir)
  const failed = tasks.filter(({ status }) => status === 'failed' || status === 'unreachable')
  const sections = failed.map((task) => {
    const result = JSON.stringify({ result: task.result, items: task.items }, withoutLines, 2)
    return [failureReport([task]), ...diffOf(task), result].join('\n')
  })
  if (record.error !== undefined) sections.unshift(messageOf(record.error))
  if (current && failed.length === 0)
    sections.push(`At work: ${titleOf(current)}\n  at ${placeOf(current) ?? '?'}`)
  return sections.length > 0 ? `${sections.join('\n\n')}\n` : ''
}

function eventsOf({ events }: RunRecord): string {
  return events.map((event) => `${JSON.stringify(event, withoutLines)}\n`).join('')
}

// The same as `stdout` and `stderr`, once more.
const withoutLines = (key: string, value: unknown) => (/^std(out|err)_lines$/.test(key) ? undefined : value)

/** What is to be masked in the evidence of `source`: the values of variables whose names say that they are secret. */
export function secretsIn({ records, vars }: EvidenceSource): string[] {
  const told = records.map(({ options, vars }) => [options.extraVars, options.env, vars])
  const named = secretsOf([vars, told, process.env])
  return [...new Set([...named, ...records.flatMap(({ secrets }) => secrets)])]
}

async function until(done: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!done() && performance.now() < deadline) await delay(20)
}
