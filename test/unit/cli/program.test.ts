import { resolve } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { runCli } from '../../../src/cli/program.ts'
import { resolveOptions } from '../../../src/options.ts'
import { fakeHost } from '../host/fake-host.ts'

async function run(args: readonly string[], context = fakeHost().context) {
  const out: string[] = []
  const err: string[] = []
  const exitCode = await runCli(
    args,
    { out: (line) => out.push(line), err: (line) => err.push(line) },
    context,
  )
  return { exitCode, out: out.join('\n'), err: err.join('\n') }
}

test('--version is that of the package', async () => {
  expect(await run(['--version'])).toEqual({ exitCode: 0, out: packageJson.version, err: '' })
})

test.for([['--help'], ['doctor', '--help'], ['help', 'doctor']])(
  '%j shows examples and exit codes',
  async (args) => {
    const { exitCode, out } = await run(args)
    expect(exitCode).toBe(0)
    expect(out).toMatch(/Examples:.*Exit codes:/s)
  },
)

test.for([
  [['docter'], "unknown command 'docter'"],
  [['doctor', '--fxi'], "unknown option '--fxi'"],
  [['doctor', '--for', 'fun'], "argument 'fun' is invalid"],
  [[], 'Usage: vitest-raspi'],
] as const)('%j is wrong usage, and is told on stderr', async ([args, message]) => {
  const { exitCode, out, err } = await run(args)
  expect(exitCode).toBe(2)
  expect(out).toBe('')
  expect(err).toContain(message)
})

test('freeze tells before anything is made that a name is none', async () => {
  expect(await run(['freeze', '--to', 'registry.example/My Pis'])).toMatchObject({
    err: expect.stringMatching(
      /^registry\.example\/My Pis is no name of a container image\.\n.*small letters/,
    ),
    out: '',
  })
})

test('what --fix cannot do is one sentence and a hint on stderr, without a stack', async () => {
  const { context, remove, script } = fakeHost()
  remove('/usr/bin/ssh')
  script('/usr/bin/apt-get', 'exit 100')
  expect(await run(['doctor', '--fix'], context)).toEqual({
    exitCode: 1,
    out: '',
    err:
      '$ apt-get update\n`apt-get update` failed: exit code 100.\n' +
      '  Its own output above says why. Run the doctor again once that is put right.',
  })
})

test('a fault of our own exits with 70 and shows its stack', async () => {
  const { context } = fakeHost({
    availableMemory: () => {
      throw new TypeError('ours')
    },
  })
  const { exitCode, err } = await run(['doctor'], context)
  expect(exitCode).toBe(70)
  expect(err).toMatch(/TypeError: ours\n +at /)
})

test('--cache-dir is the cache that is looked at', async () => {
  const { out } = await run(['doctor', '--cache-dir', '/some/cache', '--json'], fakeHost().context)
  expect(JSON.parse(out).checks).toContainEqual(
    expect.objectContaining({ name: 'disk', path: '/some/cache' }),
  )
})

test('a relative --cache-dir begins at the working directory', async () => {
  const { out } = await run(['doctor', '--cache-dir', 'some/cache', '--json'], fakeHost().context)
  expect(JSON.parse(out).checks).toContainEqual(
    expect.objectContaining({ name: 'disk', path: resolve('some/cache') }),
  )
})

test.for([['doctor'], ['up'], ['prune'], ['freeze'], ['cache-key'], ['image', 'ls']])(
  '%j tells where the cache is where nobody says so',
  async (command) => {
    const { out } = await run([...command, '--help'])
    expect(out.replace(/\s+/g, ' ')).toMatch(
      /\(default: (what vitest\.config\.ts says, else )?\$VITEST_RASPI_CACHE, else ~\/\.cache\/vitest-raspi\)/,
    )
  },
)

test.for([
  ['', 'ls'],
  ['podman', 'ls'],
  ['podman', 'doctor', '--help'],
])('with VITEST_RASPI_ENGINE=%s, %s works, as it needs no engine', async ([engine, ...args]) => {
  vi.stubEnv('VITEST_RASPI_ENGINE', engine)
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(await run(args)).toMatchObject({ exitCode: 0 })
})

test('an engine of the environment that is none is named with its variable; an empty one is none', () => {
  onTestFinished(() => void vi.unstubAllEnvs())
  vi.stubEnv('VITEST_RASPI_ENGINE', 'podman')
  expect(() => resolveOptions({})).toThrow('VITEST_RASPI_ENGINE is "podman", which is no engine.')
  vi.stubEnv('VITEST_RASPI_ENGINE', '')
  expect(resolveOptions({}).engine).toBe('process')
})
