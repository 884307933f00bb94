import { piMatcher } from './pi-matcher.ts'
import { flag, including, judge, list, type Pattern, value } from './verdict.ts'

/** What `toHaveMount` may expect of a mount. */
export interface MountExpectation {
  /** The device or what stands in its place, as in /proc/mounts: '/dev/mmcblk0p1', 'tmpfs', 'nas:/export'. */
  source?: Pattern
  /** The type of the file system. */
  type?: string
  /** Options it has; it may have others too. */
  options?: string[]
  /** It stands in /etc/fstab. */
  persistent?: boolean
}

const mounts = '/proc/self/mounts'
const fstab = '/etc/fstab'

export const toHaveMount = piMatcher('toHaveMount', {
  options: ['source', 'type', 'options', 'persistent'],
  queries: (_path: string, _expected: MountExpectation = {}) => [
    { kind: 'texts', patterns: [mounts, fstab] },
  ],
  judge: ([{ texts }], path, expected: MountExpectation = {}) => {
    const all = parse(texts[mounts])
    // The last one covers the others.
    const mount = all.findLast((mount) => mount.path === path)
    const inFstab = parse(texts[fstab]).some((mount) => mount.path === path)
    const found = mount
      ? `${mount.source}, type ${mount.type}, options ${mount.options.join(',')}`
      : 'nothing mounted'
    return judge(
      { there: mount !== undefined, wanted: 'a mount', found, none: 'nothing mounted' },
      [
        value('source', expected.source, mount?.source),
        value('type', expected.type, mount?.type),
        including('options', expected.options, mount?.options),
        flag('persistent', expected.persistent, inFstab, inFstab ? '' : 'not in /etc/fstab'),
      ],
      mount
        ? []
        : list(
            'Mounted from devices',
            all.filter(isDevice).map(({ source, path }) => `${path} from ${source}`),
          ),
    )
  },
})

function parse(text: string | null | undefined) {
  const lines = (text ?? '').split('\n').filter((line) => /^\s*[^\s#]/.test(line))
  return lines.map((line) => {
    const [source = '', path = '', type = '', options = ''] = line.trim().split(/\s+/).map(unescaped)
    return { source, path: path.replace(/(.)\/$/, '$1'), type, options: options.split(',') }
  })
}

const isDevice = ({ source }: { source: string }) => source.startsWith('/') || source.includes(':')

/** Blanks and backslashes are written as octal numbers: fstab(5). */
const unescaped = (field: string) =>
  field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
