import { isRaspiError, RaspiError } from '../errors.ts'
import { duration, elapsed } from '../host/progress.ts'
import { shownPath } from '../host/shown-path.ts'
import { ansibleMissing } from './config.ts'
import { requirementsHint } from './galaxy.ts'
import { type AnsibleMessage, parseError } from './messages.ts'
import type { Recorder } from './recorder.ts'
import { describeTask, type TaskRun } from './run.ts'
import { vaultHint, vaultProblem } from './vault.ts'

/** How ansible-playbook has ended. */
export interface Ending {
  playbook: string
  projectDir: string
  program: string
  exitCode: number | undefined
  /** Why it has no exit code, where it has none: it could not be started, or was killed. */
  why?: string
  recorder: Recorder
  stderr: string
  /** The names of the leased Pis. */
  hosts: string[]
  /** Hosts of the user's inventory that would work on this machine, and were left out. @default none */
  leftOutHere?: readonly string[]
  /** The playbook that stands in for a role, tasks or a module: no place that anybody knows. */
  standIn?: string | undefined
}

/**
 * The error that a run comes to which did not come to its end: an unreachable host, a playbook that cannot be parsed, a
 * role that is not there. `undefined` where it did, be it with failed tasks, which are a result.
 */
export function failureOf(ending: Ending): RaspiError | undefined {
  const { exitCode, recorder, playbook, program, stderr } = ending
  if (recorder.refused !== undefined) {
    return new RaspiError('ansible', `${playbook} was not run: ${recorder.refused}`, {
      hint: /could not be fixed/.test(recorder.refused)
        ? 'Without that a host_vars file could lead it to a real machine. Is this version of ansible-core newer than vitest-raspi?'
        : 'Take the variable away for the test, or say `connection: local` at the play or the tasks that are to run on this machine.',
    })
  }
  // Listings have neither a start nor a recap; whatever else ends well has both.
  if (exitCode === 0) return recorder.ansible && !recorder.stats ? cutShort(ending) : undefined
  const unreachable = recorder.tasks.find(({ status }) => status === 'unreachable')
  if (unreachable) return unreachableError(unreachable, ending)
  const failed = recorder.tasks.filter(({ status }) => status === 'failed')
  const sealed = failed.find(({ result }) => vaultProblem.test(String(result.msg)))
  if (sealed) {
    return new RaspiError(
      'ansible',
      `${playbook} cannot be run: ${sealed.result.msg}, at ${describeTask(sealed)}`,
      {
        hint: vaultHint(String(sealed.result.msg)),
      },
    )
  }
  if (failed.length > 0) return
  if (exitCode === 127 && !recorder.ansible) return ansibleMissing(program)
  const error = parseError(stderr)
  if (!error) return recorder.stats ? undefined : endedEarly(ending)
  // Of a play of ours nobody knows the place.
  const { path, line, column, excerpt }: Partial<AnsibleMessage> = error.path === ending.standIn ? {} : error
  const file = path && shownPath(path, ending.projectDir)
  // That it is the playbook is said already.
  const place = file === playbook && !line ? '' : [file, line, column].filter(Boolean).join(':')
  const evidence = excerpt === undefined ? {} : { evidence: excerpt }
  const role = /the role '(.+?)' was not found in:? (.+)/i.exec(error.message)
  if (role) {
    const [, name, searched = ''] = role
    return new RaspiError('ansible', `The role "${name}" was not found${place && `: ${place} asks for it`}`, {
      hint: [
        'Ansible searched for it in:',
        ...searched.split(':').map((path) => `  ${shownPath(path, ending.projectDir)}`),
        `${requirementsHint}; or install it with \`ansible-galaxy install\`, or name its directory as \`roles_path\` in ansible.cfg.`,
      ].join('\n'),
      ...evidence,
    })
  }
  return new RaspiError('ansible', `${playbook} cannot be run: ${place && `${place}: `}${error.message}`, {
    ...hintFor(error.message, ending),
    ...evidence,
  })
}

function hintFor(message: string, { hosts }: Ending): { hint?: string } {
  if (/--limit/.test(message)) return { hint: `The inventory has: ${hosts.join(', ')}.` }
  const [, collection] = /couldn't resolve module\/action '(?!ansible\.)(\w+\.\w+)\.\w/.exec(message) ?? []
  if (collection) {
    return {
      hint: `Is the collection ${collection} missing? ${requirementsHint}; or install it with \`ansible-galaxy collection install ${collection}\`.`,
    }
  }
  return vaultProblem.test(message) ? { hint: vaultHint(message) } : {}
}

/** The error for a playbook that took longer than it may. */
export function timeoutError(playbook: string, timeoutMs: number, { current }: Recorder): RaspiError {
  const task = current
    ? `: ${describeTask(current.task)}, for ${elapsed(current.since)}`
    : ': Ansible has not begun with its first task'
  return new RaspiError('ansible', `${playbook} was still at work after ${duration(timeoutMs)}${task}`, {
    hint: 'An emulated Pi takes some seconds for a task. Give the playbook longer with `playbookTimeout`, or let it do less.',
  })
}

/** The error for a playbook that was stopped from outside; where our own error is the reason, as a Pi's loss is, that one. */
export function cancelledError(playbook: string, reason: unknown, { current }: Recorder): RaspiError {
  const task = current ? ` at ${describeTask(current.task)}` : ''
  const what = `${playbook} was stopped${task}`
  if (!isRaspiError(reason)) return new RaspiError('cancelled', what, { cause: reason })
  const { kind, shortMessage, hint, evidence } = reason
  return new RaspiError(kind, `${what}: ${shortMessage}`, {
    ...(hint ? { hint } : {}),
    ...(evidence ? { evidence } : {}),
  })
}

function unreachableError(
  task: TaskRun,
  { recorder: { tasks }, leftOutHere = [] }: Pick<Ending, 'recorder' | 'leftOutHere'>,
): RaspiError {
  const message = String(task.result.msg ?? 'Ansible does not say why').trim()
  const before = tasks.filter(({ host, status }) => host === task.host && status !== 'unreachable').at(-1)
  const hosts = new Set(tasks.filter(({ status }) => status === 'unreachable').map(({ host }) => host))
  const who = task.delegatedTo ? `${task.delegatedTo}, for ${task.host},` : [...hosts].join(', ')
  // Ansible calls a host unreachable, too, on which it cannot make its temporary directory.
  const what = noRoom.test(message) ? 'left Ansible no room to work' : 'could not be reached'
  return new RaspiError('ansible', `${who} ${what} at ${describeTask(task)}: ${message}`, {
    hint: [unreachableHint(message, leftOutHere), before && `What it did before: ${describeTask(before)}.`]
      .filter(Boolean)
      .join('\n'),
  })
}

const noRoom = /No space left on device|Read-only file system|Disk quota exceeded/i

function unreachableHint(message: string, leftOutHere: readonly string[]): string {
  // The words of what ssh runs instead of connecting.
  const [, leftOut = ''] = /(\S+) has no emulated Pi in this test/.exec(message) ?? []
  if (leftOutHere.includes(leftOut)) {
    return `The inventory has it work on this machine, and \`limit\` leaves it out. Take it into \`limit\` and say \`allowLocal: true\`, or delegate to localhost.`
  }
  if (noRoom.test(message)) {
    return 'Its card is full, or cannot be written to: `await pi.run("df -h; findmnt /")` tells which.'
  }
  if (/permission denied|authentication fail/i.test(message)) {
    return 'The Pi refused the key. Does the playbook change the user (ansible_user in vars), authorized_keys or sshd?'
  }
  if (/host key verification|host identification/i.test(message)) {
    return 'The Pi showed another host key than it was leased with. Does the playbook make new ones?'
  }
  return 'Does the playbook reboot the Pi, stop its ssh server or change its network? The Pi’s console tells.'
}

function cutShort({ program, playbook, recorder }: Ending): RaspiError {
  const at = recorder.current ? ` after ${describeTask(recorder.current.task)}` : ''
  return new RaspiError('ansible', `${program} ended well, but its report of ${playbook} breaks off${at}`, {
    hint: 'Does a callback plugin or a strategy of yours keep Ansible from its recap, or close its descriptors?',
  })
}

function endedEarly({ program, playbook, exitCode, why, stderr, recorder }: Ending): RaspiError {
  const at = recorder.current ? `, at ${describeTask(recorder.current.task)}` : ''
  const how = exitCode === undefined ? 'ended' : `ended with exit code ${exitCode}`
  return new RaspiError(
    'ansible',
    `${program} ${how} before ${playbook} was through${at}${exitCode === undefined && why ? `: ${why}` : ''}`,
    {
      evidence: stderr.trimEnd().split('\n').slice(-20).join('\n'),
    },
  )
}
