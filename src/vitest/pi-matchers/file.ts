import type { FileAnswer } from '../../pi/probes/queries.ts'
import { wrongArgument } from '../matcher-arguments.ts'
import { piMatcher } from './pi-matcher.ts'
import { textChecks, textDetails } from './text.ts'
import { type Check, judge, list, type Pattern, value } from './verdict.ts'

/** What `toHaveFile` may expect of a file. */
export interface FileExpectation {
  /** The permissions in octal: '0644', '600', '4755'. Of what the path leads to, where it is a link. */
  mode?: string
  /** The name or the number of the user it belongs to. */
  owner?: string | number
  /** The name or the number of the group it belongs to. */
  group?: string | number
  /** All that it holds, or an expression that matches it. Files of at most 1 MiB. */
  content?: Pattern
  /** Something it holds. */
  contains?: string
  /** What the path itself is; a link is a 'link', wherever it leads to. */
  type?: 'file' | 'directory' | 'link'
  /** What the link points to, as it is written in the link. */
  target?: string
}

const name = 'toHaveFile'

export const toHaveFile = piMatcher(name, {
  options: ['mode', 'owner', 'group', 'content', 'contains', 'type', 'target'],
  queries: (path: string, expected: FileExpectation = {}) => {
    if (typeof path !== 'string' || !path.startsWith('/')) {
      throw wrongArgument(
        name,
        `${JSON.stringify(path)} is no absolute path`,
        'Give the path from the root: "/etc/hosts".',
      )
    }
    octal(expected.mode)
    return [
      { kind: 'file', path, content: expected.content !== undefined || expected.contains !== undefined },
    ]
  },
  judge: ([file], _path, expected: FileExpectation = {}) => {
    const text = { whole: expected.content, contains: expected.contains }
    // A link that leads nowhere is there only for one who asks for a link.
    const there = file.exists && (!file.dangling || expected.type === 'link' || expected.target !== undefined)
    return judge(
      { there, wanted: 'a file', found: describe(file), none: 'no such file' },
      [
        value('type', expected.type, file.type),
        value('target', expected.target, file.target),
        value('mode', octal(expected.mode), file.mode),
        owned('owner', expected.owner, file.owner, file.uid),
        owned('group', expected.group, file.group, file.gid),
        ...textChecks('content', text, file.content),
      ],
      [
        ...textDetails('content', text, file.content),
        ...list(`In ${file.parent}`, file.siblings && [...file.siblings, ...more(file.more)]),
      ],
    )
  },
})

function describe({ exists, type, target, dangling, mode, owner, group, size }: FileAnswer): string {
  if (!exists) return 'no such file'
  if (dangling) return `a link to ${target}, where there is nothing`
  const link = type === 'link' ? ` to ${target}` : ''
  return `a ${type}${link}, mode ${mode}, owner ${owner}, group ${group}, ${size} bytes`
}

function owned(
  label: string,
  wanted: string | number | undefined,
  name?: string,
  id?: number,
): Check | undefined {
  return value(label, wanted, /^\d+$/.test(String(wanted)) ? id : name)
}

function octal(mode: string | undefined): string | undefined {
  if (mode === undefined) return undefined
  if (typeof mode === 'string' && /^0?[0-7]{3,4}$/.test(mode)) return mode.slice(-4).padStart(4, '0')
  throw wrongArgument(
    name,
    `the mode ${JSON.stringify(mode)} is not octal`,
    'Write it as a string of octal digits: "0644".',
  )
}

const more = (count = 0) => (count ? [`… ${count} more`] : [])
