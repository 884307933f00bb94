import type { TaskDiff } from '../ansible/events.ts'
import { type AnsibleRun, placeOf, type TaskItem, type TaskRun, titleOf } from '../ansible/run.ts'
import { duration } from '../host/progress.ts'

/** Makes a diff of two texts, without colours or with: `this.utils.diff` of a matcher. */
export type Differ = (before: string, after: string, options: object) => string | null | undefined

/** How much a message shows: tasks, items of a task, lines of one text, characters of one line. */
const shown = { tasks: 5, items: 5, lines: 20, line: 300 }

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
export function changeReport(tasks: readonly TaskRun[], diff: Differ): string {
  return listed(tasks, (task) => {
    const diffs =
      task.items.length > 0
        ? task.items.flatMap((item) => itemDiffs(item, diff))
        : renderDiffs(task.diff, diff)
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
export function lastLines({ stdout, stderr }: AnsibleRun): string {
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
    const text = tail(typeof value === 'string' ? value.trimEnd() : JSON.stringify(value), shown.lines)
    return [indent(text.includes('\n') ? `${name}:\n${indent(text, 2)}` : `${name}: ${text}`, by)]
  })
}

function itemDiffs({ label, diff: diffs, changed }: TaskItem, diff: Differ): string[] {
  if (!changed) return []
  return renderDiffs(diffs, diff).map((text) => `item ${label}:\n${text}`)
}

function renderDiffs(diffs: readonly TaskDiff[], diff: Differ): string[] {
  return diffs.map(({ before = '', after = '', before_header, after_header, prepared }) => {
    if (prepared !== undefined) return tail(prepared.trimEnd(), shown.lines)
    const names = { aAnnotation: before_header ?? 'before', bAnnotation: after_header ?? 'after' }
    const text = diff(before, after, { ...names, expand: false, contextLines: 3 }) ?? ''
    return text
      .split('\n')
      .slice(0, 2 * shown.lines)
      .map(cut)
      .join('\n')
  })
}

function tail(text: string, lines: number): string {
  const all = text.trimEnd().split('\n')
  const omitted = all.length - lines
  return [...(omitted > 0 ? [`… ${omitted} lines before …`] : []), ...all.slice(-lines)].map(cut).join('\n')
}

const cut = (line: string) => (line.length > shown.line ? `${line.slice(0, shown.line)}…` : line)

const indent = (text: string, by: number) => text.replace(/^(?=.)/gm, ' '.repeat(by))
