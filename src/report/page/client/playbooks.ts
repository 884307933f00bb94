import type { PageData, PageFile, PageMark } from '../data.ts'
import { el, lazy, section } from './dom.ts'
import { counted, sign, tone } from './format.ts'

/** The texts of the playbooks and task files that ran, with what became of each task at its line. */
export function playbooks(data: PageData): HTMLElement | undefined {
  if (data.files.length === 0) return undefined
  return section(
    'playbooks',
    'Playbooks',
    el(
      'p',
      { class: 'legend' },
      ...(['ok', 'changed', 'failed', 'skipped'] as const).map((status) =>
        el(
          'span',
          { class: `badge ${tone(status)}` },
          el('span', { 'aria-hidden': 'true' }, sign(status)),
          ` ${status}`,
        ),
      ),
      el('span', { class: 'soft' }, 'the worst that became of a task in this run, and how often it ran'),
    ),
    ...data.files.map((file, index) =>
      lazy(
        [el('span', { class: 'name' }, file.path), el('span', { class: 'soft' }, ` ${described(file)}`)],
        () => [listing(file, index)],
        { class: `file ${tone(worst(file))}`, id: `file-${index}` },
      ),
    ),
  )
}

function described({ marks }: PageFile): string {
  const of = (...statuses: string[]) => marks.filter(({ status }) => statuses.includes(status)).length
  return [
    counted(marks.length, 'task'),
    ...(of('failed', 'unreachable', 'at work') > 0
      ? [`${of('failed', 'unreachable', 'at work')} failed`]
      : []),
    ...(of('changed') > 0 ? [`${of('changed')} changed`] : []),
    ...(of('skipped') > 0 ? [`${of('skipped')} only skipped`] : []),
    ...(of('missed') > 0 ? [`${of('missed')} never run`] : []),
  ].join(', ')
}

function worst({ marks }: PageFile): PageMark['status'] {
  return marks.find(({ status }) => status === 'failed' || status === 'unreachable')?.status ?? 'ok'
}

function listing({ path, text, marks }: PageFile, index: number): HTMLElement {
  const rows = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, at) => {
      const number = at + 1
      const mark = marks.findLast((each) => each.line <= number && number <= each.end)
      const first = mark?.line === number
      const total = Object.values(mark?.counts ?? {}).reduce((sum, count) => sum + count, 0)
      const told =
        mark &&
        Object.entries(mark.counts)
          .map(([status, count]) => `${count} ${status}`)
          .join(', ')
      return el(
        'tr',
        { id: `file-${index}-L${number}`, class: mark ? tone(mark.status) : undefined },
        el('td', { class: 'at' }, number),
        el(
          'td',
          { class: 'mark', title: first ? (told ?? 'never run') : undefined },
          first &&
            el('span', { 'aria-hidden': 'true' }, `${sign(mark.status)}${total > 1 ? ` ${total}×` : ''}`),
          first && el('span', { class: 'unseen' }, told || 'never run'),
        ),
        el('td', { class: 'code' }, line || ' '),
      )
    })
  const head = ['Line', 'Outcome', 'Text'].map((title) => el('th', { scope: 'col' }, title))
  return el(
    'div',
    { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': path },
    el(
      'table',
      { class: 'listing' },
      el('thead', { class: 'unseen' }, el('tr', {}, ...head)),
      el('tbody', {}, ...rows),
    ),
  )
}
