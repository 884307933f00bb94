import type { PageData, PagePi } from '../data.ts'
import { el, lazy, portions, section, svg } from './dom.ts'
import { counted, duration, sign, stopwatch, tone } from './format.ts'
import { lanesOf, type Step, stepsOf, ticksOf } from './lanes.ts'
import { testLink } from './links.ts'

/** The sizes of the drawing, in px. */
const size = { lane: 46, bar: 20, steps: 14, axis: 26, gap: 6 }

/** What the colours of a Pi's bar mean. */
const key = { waiting: 'waited for, or kept ready', starting: 'starting', lent: 'lent to a test' }

/** When each Pi was waited for, was started, had which test, and what its tasks were: drawn, and as a table. */
export function timeline(data: PageData): HTMLElement | undefined {
  const { pis, startedAt, endedAt } = data
  if (pis.length === 0) return undefined
  const lanes = lanesOf(pis.map((pi) => ({ from: firstOf(pi), to: pi.usedUntil })))
  const steps = stepsOf(data)
  const whole = { from: 0, to: Math.max(1_000, endedAt - startedAt) }
  let view = { ...whole }
  const frame = el('div', { class: 'chart' })
  const range = el('span', { class: 'soft', role: 'status' })
  const draw = () => {
    frame.replaceChildren(drawing(data, { lanes, steps, view, width: Math.max(320, frame.clientWidth) }))
    range.textContent = `${duration(view.from)} to ${duration(view.to)}`
  }
  const move = (by: number, factor = 1, centre = 0.5) => {
    const span = Math.min(whole.to, Math.max(500, (view.to - view.from) * factor))
    const middle = view.from + (view.to - view.from) * centre
    const from = Math.min(whole.to - span, Math.max(0, middle - span * centre + span * by))
    view = { from, to: from + span }
    draw()
  }
  const button = (label: string, onclick: () => void, text = label) =>
    el('button', { type: 'button', class: 'quiet', 'aria-label': label, onclick }, text)
  frame.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey) return
      event.preventDefault()
      const { left, width } = frame.getBoundingClientRect()
      move(0, event.deltaY > 0 ? 1.25 : 0.8, (event.clientX - left) / width)
    },
    { passive: false },
  )
  new ResizeObserver(draw).observe(frame)
  return section(
    'timeline',
    'Timeline of the Pis',
    el(
      'div',
      { class: 'controls' },
      button('Zoom in', () => move(0, 0.5), '+'),
      button('Zoom out', () => move(0, 2), '−'),
      button('Earlier', () => move(-0.5), '←'),
      button('Later', () => move(0.5), '→'),
      button('Whole run', () => move(0, Number.POSITIVE_INFINITY)),
      range,
      el(
        'span',
        { class: 'key' },
        ...Object.entries(key).flatMap(([what, meaning]) => [
          el('i', { class: `swatch ${what}`, 'aria-hidden': 'true' }),
          meaning,
        ]),
      ),
    ),
    frame,
    lazy(['The same as a table'], () => table(data, steps), { class: 'alternative' }),
  )
}

/** What a Pi is called: with the shard that it was of, where there were several. */
const nameOf = ({ name, hostname, shard }: PagePi) =>
  `${name} (${[hostname, ...(shard ? [`shard ${shard}`] : [])].join(', ')})`

/** A Pi that is kept ready was started before anybody asked for it. */
const firstOf = ({ askedAt, startedAt }: PagePi) => Math.min(askedAt, startedAt)

interface Scene {
  lanes: readonly number[]
  steps: readonly (readonly Step[])[]
  view: { from: number; to: number }
  width: number
}

function drawing(data: PageData, { lanes, steps, view, width }: Scene): SVGElement {
  const { pis, startedAt } = data
  const height = size.axis + (Math.max(0, ...lanes) + 1) * size.lane
  const x = (at: number) => ((at - startedAt - view.from) / (view.to - view.from)) * width
  const ticks = ticksOf(view.from, view.to, width / 90)
  const axis = ticks.at.flatMap((tick) => {
    const at = x(tick + startedAt)
    return [
      svg('line', { class: 'grid', x1: at, x2: at, y1: size.axis - 6, y2: height }),
      svg('text', { class: 'tick', x: at + 4, y: 14 }, stopwatch(tick)),
    ]
  })
  const seen = pis.flatMap((pi, index) => {
    const [left, right] = [x(firstOf(pi)), x(pi.usedUntil)]
    return right < 0 || left > width
      ? []
      : [piDrawing(data, pi, size.axis + (lanes[index] ?? 0) * size.lane, steps[index] ?? [], x, width)]
  })
  return svg(
    'svg',
    {
      ...{ role: 'img', width, height, viewBox: `0 0 ${width} ${height}` },
      'aria-label': `${counted(pis.length, 'Pi')} over ${duration(data.endedAt - startedAt)}. The table below tells the same.`,
    },
    ...axis,
    ...seen,
  )
}

function piDrawing(
  data: PageData,
  pi: PagePi,
  top: number,
  steps: readonly Step[],
  x: (at: number) => number,
  width: number,
): SVGElement {
  const { name, origin, askedAt, startedAt, startMs, lentAt, usedUntil, lost, tests } = pi
  const box = (from: number, to: number, y: number, height: number, kind: string) => {
    const left = Math.max(-2, x(from))
    return svg('rect', {
      class: kind,
      x: left,
      y,
      width: Math.max(1, Math.min(width + 2, x(to)) - left),
      height,
      rx: 2,
    })
  }
  const users = tests.map((index) => data.tests[index])
  const titles = users.map((test) => test?.name).join(' · ')
  const failed = users.some((test) => test?.state === 'failed')
  const group = svg('g', {
    class: 'pi',
    onclick: () => tests[0] !== undefined && location.assign(`#test-${tests[0]}`),
  })
  const told = [
    nameOf(pi),
    titles,
    `${origin} in ${duration(startMs)}, lent for ${duration(usedUntil - lentAt)}`,
    lost ? `lost: ${lost.reason}` : '',
  ]
  group.append(svg('title', {}, told.filter(Boolean).join('\n')))
  if (startedAt > askedAt) group.append(box(askedAt, startedAt, top, size.bar, 'waiting'))
  const up = Math.min(startedAt + startMs, lentAt)
  group.append(box(startedAt, up, top, size.bar, 'starting'))
  // From when it was up until somebody had it: a moment, unless it was kept ready.
  group.append(box(up, lentAt, top, size.bar, 'waiting'))
  group.append(box(lentAt, usedUntil, top, size.bar, `lent ${failed ? 'bad' : ''}`))
  const left = Math.max(0, x(lentAt))
  const room = Math.min(width, x(usedUntil)) - left - 12
  const label = `${failed ? `${sign('failed')} ` : ''}${titles || name}`
  // About 6.6 px a letter at this size.
  const letters = Math.floor(room / 6.6)
  if (letters >= 4)
    group.append(
      svg(
        'text',
        { class: 'label', x: left + 6, y: top + 14 },
        label.length > letters ? `${label.slice(0, letters - 1)}…` : label,
      ),
    )
  let drawn = Number.NEGATIVE_INFINITY
  for (const { task, status, from, to } of steps) {
    const [begin, end] = [x(from), x(to)]
    // What is narrower than a pixel and falls on one that is drawn already cannot be seen.
    if (end < 0 || begin > width || (end - begin < 1 && Math.floor(begin) === drawn && status !== 'failed'))
      continue
    drawn = Math.floor(begin)
    const step = box(from, to, top + size.bar + 2, size.steps, `step ${tone(status)}`)
    step.append(
      svg(
        'title',
        {},
        `${data.tasks[task]?.name}\n${status}, ${duration(to - from)}\n${data.tasks[task]?.place ?? ''}`,
      ),
    )
    group.append(step)
  }
  if (lost) {
    const at = x(lost.at)
    group.append(
      svg('line', { class: 'lost', x1: at, x2: at, y1: top - 2, y2: top + size.bar + size.steps + 4 }),
    )
  }
  return group
}

function table(data: PageData, steps: readonly (readonly Step[])[]): Node[] {
  const body = el('tbody')
  const indices = data.pis.map((_, index) => index)
  const shown = portions(body, indices, 100, (index) => {
    const pi = data.pis[index]
    if (!pi) return el('tr')
    const { origin, askedAt, startedAt, startMs, lentAt, usedUntil, lost, tests } = pi
    return el(
      'tr',
      {},
      el('th', { scope: 'row' }, nameOf(pi)),
      el('td', {}, ...tests.flatMap((test, at) => [at > 0 ? ', ' : '', testLink(data, test)])),
      el('td', { class: 'number' }, duration(Math.max(0, askedAt - data.startedAt))),
      el('td', { class: 'number' }, duration(Math.max(0, startedAt - askedAt))),
      el('td', { class: 'number' }, `${origin}, ${duration(startMs)}`),
      el('td', { class: 'number' }, duration(usedUntil - lentAt), lost ? `, lost: ${lost.reason}` : ''),
      el('td', { class: 'number' }, steps[index]?.length ?? 0),
    )
  })
  const head = ['Pi', 'Tests', 'Asked for after', 'Waited', 'Started', 'Lent for', 'Tasks'].map((title) =>
    el('th', { scope: 'col' }, title),
  )
  return [
    el(
      'div',
      { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Timeline of the Pis as a table' },
      el('table', {}, el('thead', {}, el('tr', {}, ...head)), body),
    ),
    ...shown.slice(1),
  ]
}
