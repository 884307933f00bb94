import { wrongArgument } from '../matcher-arguments.ts'
import { piMatcher } from './pi-matcher.ts'
import { judge, list, type Pattern, value } from './verdict.ts'

/** What `toHaveKernelModule` may expect of a module. */
export interface KernelModuleExpectation {
  /** Its parameters, as in /sys/module/NAME/parameters. */
  parameters?: Record<string, Pattern | number>
}

export const toHaveKernelModule = piMatcher('toHaveKernelModule', {
  options: ['parameters'],
  queries: (name: string, _expected: KernelModuleExpectation = {}) => [
    { kind: 'texts', patterns: ['/proc/modules', `${parametersOf(name)}*`] },
    { kind: 'command', command: ['modinfo', '-n', name] },
  ],
  judge: ([{ texts }, modinfo], name, { parameters = {} }: KernelModuleExpectation = {}) => {
    const loaded = (texts['/proc/modules'] ?? '')
      .split('\n')
      .some((line) => line.startsWith(`${underscored(name)} `))
    const builtIn = modinfo.stdout.includes('(builtin)')
    const available =
      modinfo.exitCode === 0 ? `not loaded, but there: ${modinfo.stdout.trim()}` : 'no such module'
    const found = loaded ? 'loaded' : builtIn ? 'built into the kernel' : available
    return judge(
      { there: loaded || builtIn, wanted: 'loaded', found, none: 'not loaded' },
      Object.entries(parameters).map(([key, wanted]) =>
        value(key, wanted, texts[parametersOf(name) + key]?.trim() ?? undefined),
      ),
    )
  },
})

export const toHaveSysctl = piMatcher('toHaveSysctl', {
  queries: (key: string, wanted: Pattern | number) => {
    if (wanted === undefined) {
      throw wrongArgument('toHaveSysctl', 'it needs a value', "Write toHaveSysctl('net.ipv4.ip_forward', 1).")
    }
    return [{ kind: 'texts', patterns: [sysctlFile(key)] }]
  },
  judge: ([{ texts }], key, wanted) => {
    const text = texts[sysctlFile(key)]
    // The kernel separates several numbers by tabs.
    const found = text?.trim().replace(/\s+/g, ' ')
    return judge(
      {
        there: found !== undefined,
        wanted: 'a value',
        found: found ?? `there is no ${sysctlFile(key)}`,
        none: 'no value',
      },
      [value(key, typeof wanted === 'string' ? wanted.trim().replace(/\s+/g, ' ') : wanted, found)],
    )
  },
})

/** Where `toHaveKernelParameter` may look for a parameter. */
export interface KernelParameterExpectation {
  /** At what cmdline.txt holds for the next boot, in the place of what the kernel was started with. @default false */
  nextBoot?: boolean
}

// Raspberry Pi OS 12 and later, and what was before. https://www.raspberrypi.com/documentation/computers/configuration.html#kernel-command-line-cmdline-txt
const lineFiles = ['/boot/firmware/cmdline.txt', '/boot/cmdline.txt']

export const toHaveKernelParameter = piMatcher('toHaveKernelParameter', {
  options: ['nextBoot'],
  queries: (_parameter: string, { nextBoot = false }: KernelParameterExpectation = {}) => [
    { kind: 'texts', patterns: nextBoot ? lineFiles : ['/proc/cmdline'] },
  ],
  judge: ([{ texts }], parameter, { nextBoot = false }: KernelParameterExpectation = {}) => {
    const file = nextBoot ? lineFiles.find((file) => texts[file] !== undefined) : '/proc/cmdline'
    const [line = ''] = ((file && texts[file]) ?? '').split('\n')
    const all: string[] = line.match(/(?:[^\s"]|"[^"]*")+/g) ?? []
    const [key = ''] = parameter.split('=')
    const alike = all.filter((other) => other === key || other.startsWith(`${key}=`))
    const there = all.includes(parameter)
    const none = file ? `no ${key}` : `neither ${lineFiles.join(' nor ')}`
    const found = there ? parameter : alike.join(' ') || none
    return judge(
      { there, wanted: parameter, found, none: `no ${parameter}` },
      [],
      there || !file ? [] : list(nextBoot ? file : 'The kernel was started with', all),
    )
  },
})

// "Hyphens and underscores are equivalent": modprobe(8). /proc and /sys have underscores.
const underscored = (name: string) => name.replaceAll('-', '_')
const parametersOf = (name: string) => `/sys/module/${underscored(name)}/parameters/`

/** The first separator decides which of dots and slashes separates: sysctl(8). */
function sysctlFile(key: string): string {
  const dotsSeparate = /^[^/]*\./.test(key)
  return `/proc/sys/${dotsSeparate ? key.replace(/[./]/g, (sign) => (sign === '.' ? '/' : '.')) : key}`
}
