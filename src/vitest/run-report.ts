import type { TaskDiff } from '../ansible/events.ts'
import { type AnsibleRun, placeOf, type TaskItem, type TaskRun, titleOf } from '../ansible/run.ts'
import { duration } from '../host/progress.ts'
import { maskSecrets } from '../report/mask.ts'
import { cutLine, lastLines, maskedDiff, paintDiff } from '../report/text.ts'

/** How much a message shows: tasks, items of a task, lines of one text and of one diff, characters of one line. */
const shown = { tasks: 5, items: 5, lines: 20, diff: 40, line: 300 }

/** The parts of a module's result that say why it failed, in the order in which they help. */
const telling = [
  'msg',
  'reason',
  'censored',
  'rc',
  'stderr',
  'stdout',
  'module_stderr',
  'module_stdout',
  'exception',
]

/** Each task with its place, its host and, where it failed, why. */
export function failureReport(tasks: readonly TaskRun[]): string {
  return listed(tasks, (task) => [heading(task), ...reasons(task)].join('\n'))
}

/** Each task with its place, its host and what it changed. */
export function changeReport(tasks: readonly TaskRun[]): string {
  return listed(tasks, (task) => {
    const diffs = task.items.length > 0 ? task.items.flatMap(itemDiffs) : renderDiffs(task.diff)
    const what =
      diffs.length > 0
        ? diffs.slice(0, shown.items)
        : ['(no diff: run the playbook with { diff: true } to see one)']
    return [heading(task), ...what.map((text) => indent(text, 4))].join('\n')
  })
}

/** Each task in one line, with its status. */
export function taskList(tasks: readonly TaskRun[]): string {
  return listOf(tasks, (task) => `${task.status.padEnd(11)} ${task.host}: ${titleOf(task)}`)
}

/** Each of `things` in one line, indented, of many the first. */
export function listOf<T>(things: readonly T[], line: (thing: T) => string): string {
  const more = things.length - shown.lines
  const lines = things.slice(0, shown.lines).map(line)
  return indent([...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n'), 2)
}

/** The last lines that the user would have seen. */
export function endOfOutput({ stdout, stderr }: AnsibleRun): string {
  const text = stdout.trim() ? stdout : stderr
  return `Last lines of ansible-playbook:\n${indent(tail(text.replace(/\n\n+/g, '\n'), 15), 2)}`
}

/** `1 task`, `2 tasks`. */
export function count(tasks: readonly unknown[]): string {
  return `${tasks.length} task${tasks.length === 1 ? '' : 's'}`
}

function listed(tasks: readonly TaskRun[], render: (task: TaskRun) => string): string {
  const more = tasks.length - shown.tasks
  return [...tasks.slice(0, shown.tasks).map(render), ...(more > 0 ? [`… and ${more} more`] : [])].join(
    '\n\n',
  )
}

function heading(task: TaskRun): string {
  const host = task.delegatedTo ? `${task.host}, delegated to ${task.delegatedTo}` : task.host
  const tries = task.attempts > 1 ? `, tried ${task.attempts} times` : ''
  const place = placeOf(task)
  return [
    titleOf(task),
    ...(place ? [`  at ${place}`] : []),
    `  on ${host}, with ${task.action}, after ${duration(task.durationMs)}${tries}`,
  ].join('\n')
}

function reasons({ result, items }: TaskRun): string[] {
  const failed = items.filter(({ status }) => status === 'failed')
  if (failed.length === 0) return fields(result, 4)
  const more = failed.length - shown.items
  return [
    ...failed.slice(0, shown.items).flatMap((item) => [`    item ${item.label}:`, ...fields(item.result, 6)]),
    ...(more > 0 ? [`    … and ${more} more items`] : []),
  ]
}

function fields(result: Record<string, unknown>, by: number): string[] {
  return telling.flatMap((name) => {
    const value = result[name]
    if (value === undefined || value === null || value === '') return []
    // Masked before it is cut: without its first line a private key is not known as one.
    const whole = maskSecrets(typeof value === 'string' ? value.trimEnd() : JSON.stringify(value))
    const text = tail(whole, shown.lines)
    return [indent(text.includes('\n') ? `${name}:\n${indent(text, 2)}` : `${name}: ${text}`, by)]
  })
}

function itemDiffs({ label, diff, changed }: TaskItem): string[] {
  if (!changed) return []
  return renderDiffs(diff).map((text) => `item ${label}:\n${text}`)
}

function renderDiffs(diffs: readonly TaskDiff[]): string[] {
  return diffs.flatMap((diff) => {
    const lines = maskedDiff({ diff: [diff], items: [] }, maskSecrets).slice(0, shown.diff)
    return lines.length > 0 ? [lines.map((line) => paintDiff(cutLine(line, shown.line))).join('\n')] : []
  })
}

function tail(text: string, lines: number): string {
  const omitted = text.trimEnd().split('\n').length - lines
  return [
    ...(omitted > 0 ? [`… ${omitted} lines before …`] : []),
    ...lastLines(text, lines, shown.line),
  ].join('\n')
}

const indent = (text: string, by: number) => text.replace(/^(?=.)/gm, ' '.repeat(by))
