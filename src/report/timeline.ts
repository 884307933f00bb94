import { dirname, join } from 'node:path'
import { describeTask } from '../ansible/run.ts'
import { duration } from '../host/progress.ts'
import type { LentPi } from '../lab/protocol.ts'
import { machineFiles } from '../machine/command-line.ts'
import { readMachineLog } from '../machine/machine-log.ts'
import { type RunRecord, tasksOf } from './run-record.ts'
import { firstLine } from './text.ts'

/** What happened to a test's Pis, in ms since the epoch. */
export interface PiTimes {
  pis: readonly { lent: LentPi; lost?: { at: number; reason: unknown } }[]
  askedAt: number
  lentAt: number
  queuedMs: number
  records: readonly RunRecord[]
  endedAt: number
  projectDir: string
}

/** A line for everything that happened, in its order, with the time in UTC as the Pis' journals have it. */
export function timeline({ pis, askedAt, lentAt, queuedMs, records, endedAt, projectDir }: PiTimes): string {
  const entries: [at: number, what: string][] = [[askedAt, 'the test asks for its Pis']]
  for (const { lent, lost } of pis) {
    for (const { at, what, text } of readMachineLog(qemuLogOf(lent))) {
      if (what === 'starts') entries.push([at, `${lent.name}: QEMU starts`])
      if (what === 'ended') entries.push([at, `${lent.name}: QEMU ended: ${text}`])
    }
    const waited = queuedMs < 1_000 ? '' : `, after ${duration(queuedMs)} of waiting for others`
    entries.push([
      lentAt,
      `${lent.name}: lent as ${lent.hostname}, ${lent.origin} in ${duration(lent.startMs)}${waited}`,
    ])
    if (lost) entries.push([lost.at, `${lent.name}: lost: ${firstLine(lost.reason)}`])
  }
  for (const record of records) {
    entries.push([record.startedAt, `ansible-playbook ${record.playbook} begins`])
    const { tasks, current } = tasksOf(record, projectDir)
    for (const task of tasks) {
      entries.push([
        task.endedAt,
        `  ${task.status} on ${task.host} after ${duration(task.durationMs)}: ${describeTask(task)}`,
      ])
    }
    if (current) entries.push([current.startedAt, `  begins: ${describeTask(current)}`])
    if (record.endedAt === undefined) continue
    const end = record.run ? `exit code ${record.run.exitCode}` : firstLine(record.error)
    entries.push([record.endedAt, `ansible-playbook ${record.playbook} ended: ${end}`])
  }
  entries.push([endedAt, 'the test ended'])
  const inOrder = entries.toSorted(([a], [b]) => a - b)
  return `${inOrder.map(([at, what]) => `${new Date(at).toISOString()}  ${what}`).join('\n')}\n`
}

/** Where QEMU's command lines and messages of a Pi are: beside its console. */
export function qemuLogOf({ consoleFile }: LentPi): string {
  return join(dirname(consoleFile), machineFiles.log)
}
