import { styleText } from 'node:util'
import { duration } from '../host/progress.ts'
import { type RaspiMeta, slowestOf, unitePis } from './meta.ts'
import type { PiSummary } from './told.ts'

/**
 * The lines that close a run in which `metas`, what its tests told, had Pis, with `page`, where its report is. None where
 * there is nothing to tell.
 */
export function closingBlock(metas: readonly RaspiMeta[], page?: string): string[] {
  const pis = unitePis(metas.flatMap((meta) => meta.pis))
  const runs = metas.flatMap((meta) => meta.runs)
  const lines: [label: string, text: string][] = []
  if (pis.length > 0) {
    const what = [origins(pis), ...saved(pis), `at most ${mostAtOnce(pis)} at once`, ...waited(pis)]
    lines.push(['Pis', what.join('; ')])
  }
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
  if (page) lines.push(['Report', page])
  return lines.map(([label, text]) => `${styleText('dim', label.padStart(11))}  ${text}`)
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

/** What thawing spared, as far as it was measured what a boot takes. */
function saved(pis: readonly PiSummary[]): string[] {
  const known = pis.flatMap(({ origin, startMs, coldBootMs }) =>
    origin === 'thawed' && coldBootMs ? [{ startMs, coldBootMs }] : [],
  )
  if (known.length === 0) return []
  const total = known.reduce((sum, { startMs, coldBootMs }) => sum + coldBootMs - startMs, 0)
  if (total <= 0) return []
  const boot = duration(median(known.map(({ coldBootMs }) => coldBootMs)))
  return [`${duration(total)} saved against booting (${boot} each)`]
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
