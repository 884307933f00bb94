import { wrongArgument } from '../matcher-arguments.ts'
import { piMatcher } from './pi-matcher.ts'
import { type Check, including, judge, list, value } from './verdict.ts'

/** What `toHaveUser` may expect of a user. */
export interface UserExpectation {
  /** Its number. */
  uid?: number
  /** The primary group. */
  group?: string
  /** Groups it belongs to; it may belong to others too. */
  groups?: string[]
  /** The path of its login shell. */
  shell?: string
  /** The path of its home directory. */
  home?: string
  /** Public keys in its `~/.ssh/authorized_keys`, as in a `.pub` file; the comment doesn't count, others may be there too. */
  keys?: string | string[]
}

/** What `toHaveGroup` may expect of a group. */
export interface GroupExpectation {
  /** Its number. */
  gid?: number
  /** Users that belong to it, also as their primary group; others may too. */
  members?: string[]
}

export const toHaveUser = piMatcher('toHaveUser', {
  options: ['uid', 'group', 'groups', 'shell', 'home', 'keys'],
  queries: (name: string, { keys }: UserExpectation = {}) => {
    wantedKeys(keys)
    return [{ kind: 'user', name, keys: keys !== undefined }]
  },
  judge: ([user], _name, expected: UserExpectation = {}) =>
    judge(
      {
        there: user.exists,
        wanted: 'a user',
        found: user.exists ? `a user, uid ${user.uid}, groups ${user.groups?.join(', ')}` : 'no such user',
        none: 'no such user',
      },
      [
        value('uid', expected.uid, user.uid),
        value('group', expected.group, user.group),
        including('groups', expected.groups, user.groups),
        value('shell', expected.shell, user.shell),
        value('home', expected.home, user.home),
        keyCheck(wantedKeys(expected.keys), user.keys),
      ],
      list('Users', user.others),
    ),
})

export const toHaveGroup = piMatcher('toHaveGroup', {
  options: ['gid', 'members'],
  queries: (name: string, _expected: GroupExpectation = {}) => [{ kind: 'group', name }],
  judge: ([group], _name, expected: GroupExpectation = {}) =>
    judge(
      {
        there: group.exists,
        wanted: 'a group',
        found: group.exists ? `a group, gid ${group.gid}` : 'no such group',
        none: 'no such group',
      },
      [value('gid', expected.gid, group.gid), including('members', expected.members, group.members)],
      list('Groups', group.others),
    ),
})

// Every key type's body starts with its length and name, which reads AAAA in base64. Options may stand before it.
const keyBody = /\bAAAA[\w+/]+=*/

function keyCheck(wanted: string[] | undefined, lines: string[] = []): Check | undefined {
  if (!wanted) return undefined
  const bodies = lines.map((line) => keyBody.exec(line)?.[0])
  return {
    expected: `keys ${wanted.map(shortKey).join(', ')}`,
    received: `keys ${lines.map(shortKey).join(', ') || '(none)'}`,
    pass: wanted.every((key) => bodies.includes(keyBody.exec(key)?.[0])),
  }
}

function shortKey(line: string): string {
  const [body = ''] = keyBody.exec(line) ?? []
  const comment = line.slice(line.indexOf(body) + body.length).trim()
  return `…${body.slice(-8)}${comment && ` (${comment})`}`
}

function wantedKeys(keys: string | string[] | undefined): string[] | undefined {
  const wanted = typeof keys === 'string' ? [keys] : keys
  if (wanted?.every((key) => keyBody.test(key)) ?? true) return wanted
  throw wrongArgument(
    'toHaveUser',
    'a key is no public ssh key',
    'Give it as in a .pub file: "ssh-ed25519 AAAA…".',
  )
}
