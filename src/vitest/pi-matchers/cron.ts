import { piMatcher } from './pi-matcher.ts'
import { judgeNearest, list, matches, type Pattern, value } from './verdict.ts'

/** What `toHaveCronJob` may expect of a job. */
export interface CronJobExpectation {
  /** When it runs: '0 6 * * 1', '@daily'. */
  schedule?: string
  /** The user it runs as. */
  user?: string
  /** The name that `ansible.builtin.cron` gave it. */
  name?: string
}

interface CronJob {
  file: string
  schedule: string
  user: string
  command: string
  name?: string | undefined
}

const crontab = '/etc/crontab'
const users = '/var/spool/cron/crontabs/'

export const toHaveCronJob = piMatcher('toHaveCronJob', {
  options: ['schedule', 'user', 'name'],
  queries: (_command: Pattern, _expected: CronJobExpectation = {}) => [
    { kind: 'texts', patterns: [crontab, '/etc/cron.d/*', `${users}*`] },
  ],
  judge: ([{ texts }], command, expected: CronJobExpectation = {}) => {
    const all = Object.entries(texts).flatMap(([file, text]) => parse(file, text ?? ''))
    const alike = all.filter((job) => matches(command, job.command))
    const found = alike.map(describe).join('; ') || 'no such job'
    return judgeNearest(
      alike,
      { there: alike.length > 0, wanted: 'a cron job', found, none: 'no such job' },
      (job) => [
        value('schedule', expected.schedule?.trim().replace(/\s+/g, ' '), job.schedule),
        value('user', expected.user, job.user),
        value('name', expected.name, job.name),
      ],
      alike.length === 1 ? [] : list('Cron jobs', (alike.length ? alike : all).map(describe)),
    )
  },
})

const describe = ({ schedule, user, command, file }: CronJob) => `${schedule} ${user} ${command} (${file})`

function parse(file: string, text: string): CronJob[] {
  const isUsers = file.startsWith(users)
  // cron passes over files in /etc/cron.d with other characters in their names: cron(8) of Debian.
  if (file.startsWith('/etc/cron.d/') && !/^[\w-]+$/.test(file.slice('/etc/cron.d/'.length))) return []
  const jobs: CronJob[] = []
  let name: string | undefined
  for (const line of text.split('\n').map((line) => line.trim())) {
    if (line.startsWith('#')) name = /^#Ansible: (.*)/.exec(line)?.[1]
    const [, schedule, rest] = /^(@\w+|(?:[\d*][^\s=]*\s+){3}(?:\S+\s+){2}(?=\S))\s*(.*)$/.exec(line) ?? []
    if (!schedule || !rest) continue
    const [, user = '', command = ''] = isUsers
      ? [rest, file.slice(users.length), rest]
      : (/^(\S+)\s+(.*)$/.exec(rest) ?? [])
    jobs.push({ file, schedule: schedule.trim().replace(/\s+/g, ' '), user, command, name })
    name = undefined
  }
  return jobs
}
