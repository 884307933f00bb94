import { piMatcher } from './pi-matcher.ts'
import { judgeNearest, list, value } from './verdict.ts'

/** What `toHaveBootConfig` may expect of an entry. */
export interface BootConfigExpectation {
  /** The conditional section it stands in: 'pi4', 'cm5', 'none'. @default 'all' */
  section?: string
}

interface Entry {
  section: string
  line: string
  /** Of a dtparam: which overlay of its section takes it, counted from 1; 0 is the Pi's own device tree. */
  overlay: number
}

// Raspberry Pi OS 12 and later, and what was before. https://www.raspberrypi.com/documentation/computers/config_txt.html
const files = ['/boot/firmware/config.txt', '/boot/config.txt']

export const toHaveBootConfig = piMatcher('toHaveBootConfig', {
  options: ['section'],
  queries: (_entry: string, _expected: BootConfigExpectation = {}) => [{ kind: 'texts', patterns: files }],
  judge: ([{ texts }], entry, { section = 'all' }: BootConfigExpectation = {}) => {
    const file = files.find((file) => texts[file] !== undefined)
    const all = parse((file && texts[file]) ?? '')
    const wanted = normal(entry)
    const alike = inForce(all.filter((other) => keyOf(other.line) === keyOf(wanted)))
    const same = alike.filter((other) => other.line === wanted)
    const instead =
      alike.map(describe).join('; ') || (file ? 'no such entry' : `neither ${files.join(' nor ')}`)
    const found = same.map(describe).join('; ') || instead
    return judgeNearest(
      same,
      { there: same.length > 0, wanted, found, none: `no ${wanted}` },
      (other) => [value(`${wanted} in section`, section, other.section)],
      same.length === 0 && file ? list(file, all.map(describe)) : [],
    )
  },
})

const describe = ({ section, line }: Entry) => `${line} in section ${section}`
const keyOf = (line: string) => /^(dtparam=)?[^=]*=?/.exec(line)?.[0]
const normal = (line: string) => line.trim().replace(/\s*=\s*/, '=')

// Of these each counts, of all others only the last.
const cumulative = /^(dtoverlay|gpio|include|initramfs|device_tree_param)[= ]/

/** Of entries with the same key, those that no later one of their section overrides. */
function inForce(entries: Entry[]): Entry[] {
  return entries.filter(({ line, section, overlay }, index) => {
    const later = entries
      .slice(index + 1)
      .some((other) => other.section === section && other.overlay === overlay)
    return cumulative.test(line) || !later
  })
}

function parse(text: string): Entry[] {
  let section = 'all'
  let overlays = 0
  const current = new Map<string, number>()
  return text.split('\n').flatMap((raw) => {
    const line = normal(raw.replace(/#.*/, ''))
    const [, heading] = /^\[(.+)\]$/.exec(line) ?? []
    if (heading) section = heading
    if (heading || !line) return []
    // What follows an overlay is for it, until the next one, or an empty one. https://www.raspberrypi.com/documentation/computers/configuration.html#part3.3
    if (line.startsWith('dtoverlay=')) current.set(section, line === 'dtoverlay=' ? 0 : ++overlays)
    if (!line.startsWith('dtparam=')) return [{ section, line, overlay: 0 }]
    // One line may set several parameters.
    const parts = line.slice('dtparam='.length).split(',')
    const overlay = current.get(section) ?? 0
    return parts.map((part) => ({ section, line: `dtparam=${part.trim()}`, overlay }))
  })
}
