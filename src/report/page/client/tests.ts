import type { PageData, PageRun, PageTaskRun, PageTest } from '../data.ts'
import { el, lazy, portions, section } from './dom.ts'
import { counted, duration, sign, tone } from './format.ts'
import { placeLink } from './links.ts'

/** How many groups and tests are shown at first. */
const portion = 100

/** How many failed tests are unfolded from the start. */
const openFailures = 3

/** The failed tests, each with all that is known of it; nothing where none failed. */
export function failures(data: PageData): HTMLElement | undefined {
  const failed = data.tests.flatMap((test, index) => (test.state === 'failed' ? [{ test, index }] : []))
  if (failed.length === 0) return undefined
  const list = el('div')
  const shown = portions(list, failed, portion, ({ test, index }, at) =>
    testDetails(data, test, index, { id: `failed-${index}`, open: at < openFailures, withFile: true }),
  )
  return section('failures', 'Failed tests', ...shown)
}

/** All tests by their files, failed ones first, with a filter. */
export function tests(data: PageData): HTMLElement {
  const list = el('div')
  const status = el('p', { class: 'soft', role: 'status' })
  const text = el('input', {
    type: 'search',
    id: 'filter',
    placeholder: 'Name, file, playbook or task',
    autocomplete: 'off',
  })
  const state = el(
    'select',
    { id: 'state' },
    ...['all', 'failed', 'passed', 'skipped'].map((value) => el('option', { value }, value)),
  )
  const all = data.tests.map((test, index) => ({ test, index, words: wordsOf(data, test) }))
  const update = () => {
    const wanted = text.value.trim().toLowerCase()
    const found = all.filter(
      ({ test, words }) =>
        (state.value === 'all' || test.state === state.value) && (!wanted || words.includes(wanted)),
    )
    status.textContent =
      found.length === all.length
        ? counted(all.length, 'test')
        : `${found.length} of ${counted(all.length, 'test')}`
    const files = [...Map.groupBy(found, ({ test }) => test.file)].toSorted(
      ([, a], [, b]) => failedIn(b) - failedIn(a),
    )
    list.replaceChildren(
      ...portions(el('div'), files, portion, ([file, group]) => {
        const few = files.length === 1 || found.length <= 30
        return lazy(
          [
            el('span', { class: 'name' }, file),
            el(
              'span',
              { class: 'soft' },
              ` ${counted(group.length, 'test')}`,
              failedIn(group) > 0 ? `, ${failedIn(group)} failed` : '',
            ),
          ],
          () =>
            portions(
              el('div'),
              group.toSorted((a, b) => rank(a.test) - rank(b.test)),
              portion,
              ({ test, index }) => testDetails(data, test, index, { id: `test-${index}` }),
            ),
          { class: 'group', open: few, 'data-tests': group.map(({ index }) => index).join(' ') },
        )
      }),
    )
  }
  let waiting = 0
  text.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(update, 120)
  })
  state.addEventListener('change', update)
  update()
  return section(
    'tests',
    'Tests',
    el(
      'div',
      { class: 'controls' },
      el('label', { for: 'filter' }, 'Filter'),
      text,
      el('label', { for: 'state' }, 'State'),
      state,
    ),
    status,
    list,
  )
}

const failedIn = (group: readonly { test: PageTest }[]) =>
  group.filter(({ test }) => test.state === 'failed').length

const rank = ({ state }: PageTest) => ['failed', 'passed', 'skipped'].indexOf(state)

function wordsOf(data: PageData, { file, name, runs }: PageTest): string {
  const tasks = runs.flatMap((run) => [
    run.playbook,
    ...run.tasks.map(({ task }) => data.tasks[task]?.name ?? ''),
  ])
  return [file, name, ...new Set(tasks)].join('\n').toLowerCase()
}

function testDetails(
  data: PageData,
  test: PageTest,
  index: number,
  { id, open = false, withFile = false }: { id: string; open?: boolean; withFile?: boolean },
): HTMLDetailsElement {
  const { name, state, durationMs, retries, file } = test
  return lazy(
    [
      badge(state),
      el('span', { class: 'name' }, name),
      withFile && el('span', { class: 'soft' }, ` ${file}${test.line ? `:${test.line}` : ''}`),
      el(
        'span',
        { class: 'time' },
        state === 'skipped' ? '' : duration(durationMs),
        retries > 0 ? `, tried ${retries + 1} times` : '',
      ),
    ],
    () => contentOf(data, test, withFile, index),
    { class: `test ${tone(state)}`, id, open },
  )
}

function contentOf(data: PageData, test: PageTest, failure: boolean, index: number): (Node | undefined)[] {
  const pis = test.pis.flatMap((pi) => data.pis[pi] ?? [])
  return [
    ...test.errors.map((error) => el('pre', { class: 'error', tabindex: 0 }, error)),
    pis.length > 0
      ? el(
          'ul',
          { class: 'facts' },
          ...pis.map(({ name, hostname, origin, startMs, askedAt, startedAt, lost }) => {
            const waited = startedAt - askedAt
            return el(
              'li',
              {},
              el('b', {}, name),
              ` was ${hostname}, ${origin} in ${duration(startMs)}`,
              waited >= 1_000 ? `, after ${duration(waited)} of waiting` : '',
              lost ? el('strong', { class: 'gone' }, `, lost: ${lost.reason}`) : '',
            )
          }),
        )
      : el('p', { class: 'soft' }, test.state === 'skipped' ? 'It did not run.' : 'It had no Pi.'),
    ...test.runs.map((run) => runDetails(data, run, failure && !run.ok)),
    ...test.logs.map(({ name, text }) =>
      lazy(
        [el('span', { class: 'name' }, name)],
        () => [el('pre', { class: 'log', tabindex: 0, role: 'group', 'aria-label': name }, text)],
        { class: 'log', open: failure && name.endsWith('console.log') },
      ),
    ),
    test.evidence
      ? el(
          'p',
          { class: 'evidence' },
          'Evidence: ',
          ...test.evidence.names.flatMap((name, at) => [
            at > 0 ? ', ' : '',
            el('a', { href: `${test.evidence?.href}/${encodeURIComponent(name)}` }, name),
          ]),
        )
      : undefined,
    failure
      ? el('p', {}, el('a', { href: `#test-${index}` }, 'Beside the other tests of its file'))
      : undefined,
  ]
}

function badge(status: Parameters<typeof sign>[0]): HTMLElement {
  return el(
    'span',
    { class: `badge ${tone(status)}` },
    el('span', { 'aria-hidden': 'true' }, sign(status)),
    ` ${status}`,
  )
}

function runDetails(data: PageData, run: PageRun, open: boolean): HTMLDetailsElement {
  const { playbook, ok, check, outcome, tasks, startedAt, endedAt, command } = run
  const done = tasks.filter(({ status }) => status !== 'skipped').length
  const changed = tasks.filter(({ status }) => status === 'changed').length
  return lazy(
    [
      badge(ok ? 'ok' : 'failed'),
      el('span', { class: 'name' }, `ansible-playbook ${playbook}${check ? ' --check' : ''}`),
      el(
        'span',
        { class: 'soft' },
        ` ${counted(done, 'task')}, ${changed} changed${ok ? '' : `; ${outcome}`}`,
      ),
      el('span', { class: 'time' }, duration(endedAt - startedAt)),
    ],
    () => [
      command && el('pre', { class: 'command', tabindex: 0 }, `$ ${command}`),
      ...(tasks.length > 0 ? taskTable(data, run) : [el('p', { class: 'soft' }, 'It came to no task.')]),
      run.omitted > 0 && el('p', { class: 'note' }, `${counted(run.omitted, 'more task')} not shown.`),
    ],
    { class: 'run', open },
  )
}

function taskTable(data: PageData, { playbook, tasks }: PageRun): Node[] {
  const body = el('tbody')
  const shown = portions(body, tasks, portion, (task) => taskRow(data, task))
  const head = ['Outcome', 'Task', 'Host', 'Time'].map((title) => el('th', { scope: 'col' }, title))
  const table = el(
    'table',
    { class: 'tasks' },
    el('caption', { class: 'unseen' }, `Tasks of ${playbook}`),
    el('thead', {}, el('tr', {}, ...head)),
    body,
  )
  return [
    el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': `Tasks of ${playbook}` }, table),
    ...shown.slice(1),
  ]
}

function taskRow(
  data: PageData,
  { task, host, status, durationMs, message, diff }: PageTaskRun,
): HTMLElement {
  const { name = '', kind } = data.tasks[task] ?? {}
  return el(
    'tr',
    { class: tone(status) },
    el('td', {}, badge(status)),
    el(
      'td',
      {},
      kind === 'handler' ? `${name} (handler) ` : `${name} `,
      placeLink(data, task),
      message ? el('pre', { class: 'message', tabindex: 0 }, message) : undefined,
      diff
        ? lazy([`Diff, ${counted(diff.length, 'line')}`], () => [diffBlock(diff)], {
            class: 'diff',
            open: status === 'failed',
          })
        : undefined,
    ),
    el('td', {}, host || '–'),
    el('td', { class: 'number' }, duration(durationMs)),
  )
}

function diffBlock(diff: readonly string[]): HTMLElement {
  const kinds: Record<string, string> = { '+': 'added', '-': 'removed' }
  return el(
    'pre',
    { class: 'diff', tabindex: 0 },
    ...diff.map((line) =>
      el('span', { class: /^(---|\+\+\+) /.test(line) ? 'header' : kinds[line[0] ?? ''] }, `${line}\n`),
    ),
  )
}
