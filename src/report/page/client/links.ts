import type { PageData } from '../data.ts'
import { el } from './dom.ts'

/** Where a task is written, as a link to its line in the playbooks below, where that is shown. */
export function placeLink({ tasks }: PageData, index: number): HTMLElement {
  const { place, file, line } = tasks[index] ?? {}
  if (!place) return el('span')
  if (file === undefined) return el('code', {}, place)
  return el('a', { href: `#file-${file}-L${line}` }, el('code', {}, place))
}

/** A test as a link to all that is known of it. */
export function testLink({ tests }: PageData, index: number): HTMLElement {
  const test = tests[index]
  return el('a', { href: `#test-${index}` }, test ? test.name : '?')
}
