import type { PageData } from '../data.ts'
import { el } from './dom.ts'
import { playbooks } from './playbooks.ts'
import { followLinks } from './reveal.ts'
import { summary } from './summary.ts'
import { failures, tests } from './tests.ts'
import { chooseTheme } from './theme.ts'
import { timeline } from './timeline.ts'

const byId = (id: string) => document.getElementById(id) as HTMLElement
const data: PageData = JSON.parse(byId('data').textContent ?? '')

chooseTheme(byId('theme'))
const sections = {
  Failures: failures(data),
  Timeline: timeline(data),
  Tests: tests(data),
  Playbooks: playbooks(data),
}
byId('main').append(summary(data))
for (const [title, section] of Object.entries(sections)) {
  if (!section) continue
  byId('sections').append(el('a', { href: `#${section.id}` }, title))
  byId('main').append(section)
}
document.title = `${{ passed: '✓', failed: '✕', interrupted: '…' }[data.outcome]} ${document.title}`
followLinks()
