import type { TaskRun } from '../../../src/ansible/run.ts'
import type { LentPi } from '../../../src/lab/protocol.ts'
import type { FailureTask, RunSummary } from '../../../src/report/meta.ts'
import type { RunRecord } from '../../../src/report/run-record.ts'
import type { PiSummary } from '../../../src/report/told.ts'
import { aRun, aTask } from '../ansible/runs.ts'

/** A Pi that was thawed in 2.9 s and used for 10 s, changed by `data`. */
export function aPi(data: Partial<PiSummary> = {}): PiSummary {
  return {
    ...{ number: 1, name: 'pi', hostname: 'pi-1', origin: 'thawed', startMs: 2_900, queuedMs: 0 },
    ...{ askedAt: -2_000, startedAt: -2_000, lentAt: 1_000, usedUntil: 11_000 },
    ...data,
  }
}

/** A playbook of ten tasks that changed two, changed by `data`. */
export function aRunSummary(data: Partial<RunSummary> = {}): RunSummary {
  return { playbook: 'site.yml', ok: true, durationMs: 20_000, tasks: 10, changed: 2, slowest: [], ...data }
}

/** A task that failed a test, changed by `data`. */
export function aFailureTask(data: Partial<FailureTask> = {}): FailureTask {
  return {
    ...{ what: 'failed', title: 'TASK [web : Install nginx]', host: 'pi', durationMs: 3_100 },
    ...{ path: '/repo/roles/web/tasks/main.yml', line: 12, message: 'No package', diff: [], told: false },
    ...data,
  }
}

/** A run that came to its end within a second, changed by `data`. */
export function aRecord(data: Partial<RunRecord> = {}): RunRecord {
  const told = { events: [], secrets: [], run: aRun() }
  return { playbook: 'site.yml', options: {}, startedAt: 0, endedAt: 1_000, ...told, ...data }
}

/** A task that failed and has written a private key, with `tok-4711-0815` where a message is cut at 500 or 1,000 characters. */
export function aSecretTask(): TaskRun {
  const body = Array.from({ length: 6 }, () => 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ')
  const key = ['-----BEGIN OPENSSH PRIVATE KEY-----', ...body, '-----END OPENSSH PRIVATE KEY-----']
  const secret = 'tok-4711-0815'
  const msg = `${'x'.repeat(120)}${secret}${'x'.repeat(112)}${secret}${'x'.repeat(942)}`
  return aTask({
    status: 'failed',
    result: { msg },
    diff: [{ before: '', after: [...key, 'after'].join('\n') }],
  })
}

/** A lent Pi whose console is `consoleFile`. */
export function aLentPi(consoleFile: string): LentPi {
  const connection = {
    host: '127.0.0.1',
    port: 1,
    user: 'pi',
    privateKeyFile: '/none',
    knownHostsFile: '/none',
  }
  return {
    ...{ number: 1, name: 'pi', hostname: 'pi-1', connection, controlPath: '/none', consoleFile },
    ...{ origin: 'thawed', startedAt: 0, startMs: 2_900, spans: [], nics: [] },
    hardware: { cpus: 4, memoryMiB: 1024, diskGiB: 4 },
  }
}
