import { RaspiError } from '../../errors.ts'
import { wrongArgument } from '../matcher-arguments.ts'
import { piMatcher } from './pi-matcher.ts'
import { judge, list, matches, type Pattern } from './verdict.ts'

/** Which entries `toHaveCleanJournal` looks at. */
export interface JournalOptions {
  /**
   * The first moment that counts, by the Pi's clock: a `Date`, or what `journalctl --since` takes ('-5min').
   * @default the Pi's last boot
   */
  since?: string | Date
  /** The least severe entries that count. @default 'err' */
  priority?: 'emerg' | 'alert' | 'crit' | 'err' | 'warning' | 'notice'
  /** Entries that don't count: parts of their text as shown, 'sshd: message', or expressions that match it. */
  except?: readonly Pattern[]
}

const name = 'toHaveCleanJournal'
const mostEntries = 200
const shownEntries = 20

export const toHaveCleanJournal = piMatcher(name, {
  options: ['since', 'priority', 'except'],
  queries: ({ since, priority = 'err', except = [] }: JournalOptions = {}) => [
    {
      kind: 'command',
      command: [
        ...['journalctl', '--no-pager', '-o', 'json', '--output-fields=MESSAGE,SYSLOG_IDENTIFIER'],
        // The last ones do, unless all of them may be excepted.
        ...(except.length === 0 ? ['-n', String(mostEntries)] : []),
        ...['-p', priority, ...(since === undefined ? ['-b'] : ['--since', moment(since)])],
      ],
    },
  ],
  judge: ([{ exitCode, stdout, stderr, cut = false }], { except = [] }: JournalOptions = {}) => {
    if (exitCode !== 0 || stderr.includes('not seeing messages')) {
      throw new RaspiError('ssh', 'Could not read the journal of the Pi', { evidence: stderr.trimEnd() })
    }
    const lines = stdout.split('\n')
    // Behind the last line's end there is nothing, or what is left of an entry.
    const entries = lines.slice(0, -1).filter((line) => line.startsWith('{'))
    const shown = entries
      .map((line) => describe(JSON.parse(line)))
      .filter((entry) => !except.some(meets(entry)))
    if (cut && shown.length === 0) {
      throw new RaspiError(
        'ssh',
        `The journal of the Pi is too long to be looked at: the first ${entries.length} entries are all excepted`,
        { hint: "Look at less of it: { since: '-5min' }, or a more severe priority." },
      )
    }
    const found = shown.length === 1 ? '1 entry' : `${shown.length} entries`
    return judge(
      {
        there: shown.length === 0,
        wanted: 'no entry',
        found: shown.length ? found : 'no entry',
        none: 'an entry',
      },
      [],
      list(shown.length > shownEntries ? `The last ${shownEntries}` : 'Entries', shown.slice(-shownEntries)),
    )
  },
})

const meets = (entry: string) => (pattern: Pattern) =>
  typeof pattern === 'string' ? entry.includes(pattern) : matches(pattern, entry)

function describe({
  MESSAGE,
  SYSLOG_IDENTIFIER = '?',
}: {
  MESSAGE?: unknown
  SYSLOG_IDENTIFIER?: string
}): string {
  // journalctl writes what isn't printable as a list of bytes.
  const text = Array.isArray(MESSAGE) ? Buffer.from(MESSAGE).toString() : String(MESSAGE ?? '')
  return `${SYSLOG_IDENTIFIER}: ${text}`
}

function moment(since: string | Date): string {
  if (typeof since === 'string') return since
  if (Number.isNaN(since.getTime()))
    throw wrongArgument(name, 'since is no valid date', 'Give a Date, or a text such as "-5min".')
  return `@${since.getTime() / 1_000}`
}
