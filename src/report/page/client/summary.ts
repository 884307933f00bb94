import type { PageData } from '../data.ts'
import { el } from './dom.ts'
import { clock, duration } from './format.ts'
import { placeLink } from './links.ts'

/** What the run came to, in a sentence and in numbers. */
export function summary(data: PageData): HTMLElement {
  const { tests, pis, startedAt, endedAt, outcome } = data
  const of = (state: string) => tests.filter((test) => test.state === state).length
  const runs = tests.flatMap((test) => test.runs)
  const tasks = runs.flatMap((run) => run.tasks)
  const failed = of('failed')
  const verdict = { passed: 'passed', failed: 'failed', interrupted: 'was interrupted' }[outcome]
  const title = el('h1', { class: `verdict ${outcome}` }, `The run ${verdict}`)
  const when = el(
    'p',
    { class: 'soft' },
    `${new Date(startedAt).toLocaleDateString('en-GB', { dateStyle: 'long' })}, ${clock(startedAt)} to ${clock(endedAt)}, ${duration(endedAt - startedAt)}`,
  )
  const thawed = pis.filter(({ origin }) => origin === 'thawed')
  const waited = Math.max(0, ...pis.map(({ askedAt, startedAt }) => startedAt - askedAt))
  const tiles = el(
    'ul',
    { class: 'tiles' },
    tile(
      'Tests',
      String(tests.length),
      [
        failed > 0 ? `${failed} failed` : 'none failed',
        ...(of('skipped') > 0 ? [`${of('skipped')} skipped`] : []),
      ],
      failed > 0 ? 'bad' : 'good',
    ),
    tile('Pis', String(pis.length), [
      thawed.length > 0
        ? `${thawed.length} thawed in ${duration(median(thawed.map(({ startMs }) => startMs)))} (median)`
        : 'none thawed',
      ...(pis.length > thawed.length ? [`${pis.length - thawed.length} booted`] : []),
      ...(waited >= 1_000 ? [`waited ${duration(waited)} at most`] : []),
    ]),
    tile('Playbook runs', String(runs.length), [
      `${runs.filter(({ ok }) => !ok).length} failed`,
      duration(runs.reduce((sum, run) => sum + run.endedAt - run.startedAt, 0)),
    ]),
    tile('Tasks', tasks.filter(({ status }) => status !== 'skipped').length.toLocaleString('en'), [
      `${tasks.filter(({ status }) => status === 'changed').length.toLocaleString('en')} changed`,
      `${tasks.filter(({ status }) => status === 'failed' || status === 'unreachable').length} failed`,
    ]),
  )
  const slowest = [...Map.groupBy(tasks, ({ task }) => task)]
    .map(([task, runs]) => ({
      task,
      most: Math.max(...runs.map(({ durationMs }) => durationMs)),
      times: runs.length,
    }))
    .toSorted((a, b) => b.most - a.most)
    .slice(0, 5)
  const list = el(
    'ol',
    { class: 'slowest' },
    ...slowest.map(({ task, most, times }) =>
      el(
        'li',
        {},
        el('b', {}, duration(most)),
        `${data.tasks[task]?.name ?? ''} `,
        placeLink(data, task),
        el('span', { class: 'soft' }, times > 1 ? `, the longest of ${times}` : ''),
      ),
    ),
  )
  const section = el('section', { id: 'summary', 'aria-label': 'Summary' }, title, when, tiles)
  if (slowest.length > 0) section.append(el('h2', { class: 'small' }, 'Slowest tasks'), list)
  if (data.omitted.length > 0)
    section.append(
      el(
        'p',
        { class: 'note' },
        `Left out, because the page would be too large: ${data.omitted.join('; ')}.`,
      ),
    )
  return section
}

function tile(label: string, value: string, notes: string[], mood = ''): HTMLElement {
  return el(
    'li',
    { class: `tile ${mood}` },
    el('span', { class: 'label' }, label),
    el('span', { class: 'value' }, value),
    el('span', { class: 'soft' }, notes.join(', ')),
  )
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
