import { unfold } from './dom.ts'

/** Shows what the address names, also where it is folded up and not made yet. */
export function followLinks(): void {
  addEventListener('hashchange', reveal)
  // Also when the same link is followed again.
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link?.hash && link.hash === location.hash) reveal()
  })
  reveal()
}

function reveal() {
  const id = location.hash.slice(1)
  const [, kind = '', number = ''] = /^(test|file)-(\d+)/.exec(id) ?? []
  if (kind === 'test') showTest(number)
  const holder = document.getElementById(`${kind}-${number}`)
  if (holder instanceof HTMLDetailsElement) unfold(holder)
  const target = document.getElementById(id)
  if (!target) return
  target.scrollIntoView({ block: target.tagName === 'SECTION' ? 'start' : 'center' })
  const focusable = (target instanceof HTMLDetailsElement && target.querySelector('summary')) || target
  if (focusable === target && !target.hasAttribute('tabindex')) target.tabIndex = -1
  focusable.focus({ preventScroll: true })
}

/** Brings the test into the document: its group may not be shown, be folded up, or show only the first of its tests. */
function showTest(number: string) {
  const group = () =>
    [...document.querySelectorAll<HTMLDetailsElement>('details.group')].find(({ dataset }) =>
      dataset.tests?.split(' ').includes(number),
    )
  if (!group()) clearFilter()
  showMore(document.getElementById('tests'), () => group() !== undefined)
  const found = group()
  if (!found) return
  unfold(found)
  showMore(found, () => document.getElementById(`test-${number}`) !== null)
}

function clearFilter() {
  for (const id of ['filter', 'state']) {
    const field = document.getElementById(id)
    if (field instanceof HTMLInputElement) field.value = ''
    if (field instanceof HTMLSelectElement) field.value = 'all'
    field?.dispatchEvent(new Event('change'))
  }
}

function showMore(within: Element | null, done: () => boolean) {
  const buttons = [...(within?.querySelectorAll<HTMLButtonElement>('.more') ?? [])]
  // Of several lists in each other the outer one's button comes last.
  const button = buttons.at(-1)
  while (button && !button.hidden && !done()) button.click()
}
