import { styleText } from 'node:util'
import { duration } from '../host/progress.ts'
import { type PiSummary, type RaspiMeta, slowestOf } from './meta.ts'

/** The lines that close a run in which `metas`, what its tests told, had Pis; none where no test had one. */
export function closingBlock(metas: readonly RaspiMeta[]): string[] {
  const pis = unite(metas.flatMap((meta) => meta.pis))
  const runs = metas.flatMap((meta) => meta.runs)
  if (pis.length === 0) return []
  const lines = [['Pis', [origins(pis), `at most ${mostAtOnce(pis)} at once`, ...waited(pis)].join('; ')]]
  if (runs.length > 0) {
    const sum = (of: 'tasks' | 'changed') => runs.reduce((total, run) => total + run[of], 0)
    const failed = runs.filter(({ ok }) => !ok).length
    const what = [
      `${counted(runs.length, 'run')}${failed > 0 ? ` (${failed} failed)` : ''} in ${duration(runs.reduce((total, { durationMs }) => total + durationMs, 0))}`,
      counted(sum('tasks'), 'task'),
      `${sum('changed')} changed`,
    ]
    lines.push(['Playbooks', what.join(', ')])
    const slowest = slowestOf(runs.flatMap((run) => run.slowest))
    slowest.forEach(({ name, durationMs, place }, index) => {
      lines.push([
        index === 0 ? 'Slowest' : '',
        `${duration(durationMs)}  ${name}${place ? ` (${place})` : ''}`,
      ])
    })
  }
  return lines.map(([label = '', text]) => `${styleText('dim', label.padStart(11))}  ${text}`)
}

/** A Pi of a whole file is told of by each of its tests: the one that ended last knows best. */
function unite(pis: readonly PiSummary[]): PiSummary[] {
  const known = new Map<string, PiSummary>()
  for (const pi of pis) {
    const key = `${pi.number} ${pi.lentAt}`
    const other = known.get(key)
    if (!other || other.usedUntil < pi.usedUntil) known.set(key, pi)
  }
  return [...known.values()]
}

function origins(pis: readonly PiSummary[]): string {
  const of = (origin: PiSummary['origin']) => {
    const times = pis.filter((pi) => pi.origin === origin).map(({ startMs }) => startMs)
    if (times.length === 0) return []
    const each =
      times.length === 1 ? `in ${duration(median(times))}` : `in ${duration(median(times))} each (median)`
    return [`${times.length} ${origin} ${each}`]
  }
  return [...of('thawed'), ...of('booted')].join(', ')
}

/** How many lived at the same time, from when they were lent to the end of their last test. */
function mostAtOnce(pis: readonly PiSummary[]): number {
  const changes = pis.flatMap(({ lentAt, usedUntil }) => [[lentAt, 1] as const, [usedUntil, -1] as const])
  let [now, most] = [0, 0]
  for (const [, by] of changes.toSorted(([a, up], [b, down]) => a - b || up - down)) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

function waited(pis: readonly PiSummary[]): string[] {
  const longest = Math.max(...pis.map(({ queuedMs }) => queuedMs))
  return longest < 1_000 ? [] : [`waited ${duration(longest)} for others at most`]
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`
