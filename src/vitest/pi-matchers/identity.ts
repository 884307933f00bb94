import { piMatcher } from './pi-matcher.ts'
import { flag, judge, list } from './verdict.ts'

/** What `toHaveLocale` may expect of a locale. */
export interface LocaleExpectation {
  /** It is the system's own: `LANG` in /etc/default/locale. */
  default?: boolean
}

const runningName = '/proc/sys/kernel/hostname'
const configuredName = '/etc/hostname'

export const toHaveHostname = piMatcher('toHaveHostname', {
  queries: (_hostname: string) => [{ kind: 'texts', patterns: [runningName, configuredName] }],
  judge: ([{ texts }], hostname) => {
    const running = texts[runningName]?.trim() ?? ''
    const configured = texts[configuredName]?.trim() ?? ''
    const found =
      running === configured ? running : `${running}, but ${configured || 'nothing'} in ${configuredName}`
    const there = running === hostname && configured === hostname
    return judge({ there, wanted: hostname, found, none: `not ${hostname}` }, [])
  },
})

const zones = '/zoneinfo/'

export const toHaveTimezone = piMatcher('toHaveTimezone', {
  queries: (_timezone: string) => [
    { kind: 'file', path: '/etc/localtime' },
    { kind: 'texts', patterns: ['/etc/timezone'] },
  ],
  judge: ([localtime, { texts }], timezone) => {
    const { exists, target } = localtime
    // Without /etc/localtime it is UTC: localtime(5). A copy instead of a link doesn't tell its name; /etc/timezone does.
    const linked = target?.includes(zones) ? target.slice(target.indexOf(zones) + zones.length) : undefined
    const found = exists ? (linked ?? texts['/etc/timezone']?.trim() ?? 'unknown') : 'UTC'
    const there = found === timezone && !localtime.dangling
    const shown = localtime.dangling ? `${found}, which isn't there` : found
    return judge({ there, wanted: timezone, found: shown, none: `not ${timezone}` }, [])
  },
})

export const toHaveLocale = piMatcher('toHaveLocale', {
  options: ['default'],
  queries: (_locale: string, _expected: LocaleExpectation = {}) => [
    { kind: 'command', command: ['locale', '-a'] },
    { kind: 'texts', patterns: ['/etc/default/locale', '/etc/locale.conf'] },
  ],
  judge: ([{ stdout }, { texts }], locale, expected: LocaleExpectation = {}) => {
    const all = stdout.trim().split('\n')
    const there = all.some((other) => plain(other) === plain(locale))
    const found = there ? 'a locale' : 'no such locale'
    const [, lang = 'not set'] = /^\s*LANG="?([^"\n]*)/m.exec(Object.values(texts).join('\n')) ?? []
    return judge(
      { there, wanted: 'a locale', found, none: 'no such locale' },
      [flag('default', expected.default, plain(lang) === plain(locale), `LANG is ${lang}`)],
      there ? [] : list('Locales', all),
    )
  },
})

/** `locale -a` writes UTF-8 as utf8. */
const plain = (locale: string) => locale.toLowerCase().replace(/utf-8$/, 'utf8')
