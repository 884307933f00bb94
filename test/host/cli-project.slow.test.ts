import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { fromProject } from '../../src/cli/project/from-project.ts'
import { readProjects } from '../../src/cli/project/projects.ts'
import type { HostContext } from '../../src/host/context.ts'
import { scratchDir } from '../support/scratch-dir.ts'
import { run as runCli } from '../unit/cli/run.ts'
import { standingContext } from '../unit/cli/standing-context.ts'
import { repositoryOf } from '../unit/init/repositories.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** What is told only where this host is slow: that Vite's bundler was, and what is waited for. */
const ofSlowHosts = /^(\[PLUGIN_TIMINGS\].*?for more details\.|Vitest loads [^\n]* …$)\n*/gms

/** Runs a command line; leaves out what is told only on slow hosts. */
async function run(args: readonly string[], context?: HostContext) {
  const { err, ...ran } = await runCli(args, context)
  return { ...ran, err: err.replace(ofSlowHosts, '').trimEnd() }
}

/** The text of a configuration that exports `config`, and has `raspi` for it. */
const configOf = (config: string) =>
  `import { raspi } from ${JSON.stringify(join(repository, 'src/plugin.ts'))}\nexport default ${config}\n`

/** A project with a Vitest, whose vitest.config.ts exports `config` if it is given, and its user in it. */
function aProject(config?: string, files: Record<string, string> = {}): string {
  const own: Record<string, string> = config === undefined ? {} : { 'vitest.config.ts': configOf(config) }
  const dir = repositoryOf({ 'package.json': '{ "type": "module" }', ...own, ...files })
  mkdirSync(join(dir, 'node_modules'))
  symlinkSync(join(repository, 'node_modules/vitest'), join(dir, 'node_modules/vitest'))
  vi.spyOn(process, 'cwd').mockReturnValue(dir)
  onTestFinished(() => void vi.restoreAllMocks())
  return dir
}

/** What the images of a key are, by their names, where the command line says `args`. */
async function imagesOf(...args: string[]): Promise<Record<string, string>> {
  const { out, err, exitCode } = await run(['cache-key', '--json', ...args])
  expect(exitCode, err).toBe(0)
  return JSON.parse(out).parts.images
}

const projects = (...all: string[]) => `{ test: { projects: [${all.join()}] } }`
const project = (name: string, options?: string) =>
  `{ extends: false, plugins: [${options === undefined ? '' : `raspi(${options})`}], test: { name: '${name}' } }`

test('what raspi() says counts, and is told', async () => {
  aProject("{ plugins: [raspi({ image: { name: 'debian-12-armhf', packages: ['rsync'] }, board: 'virt' })] }")
  const { out, err } = await run(['cache-key', '--json'])
  expect(err).toBe('From vitest.config.ts: image debian-12-armhf (packages), board virt (1024 MiB, 2 cores).')
  expect(JSON.parse(out).parts.images).toEqual(
    await imagesOf('--no-config', '--image', 'debian-12-armhf', '--package', 'rsync', '--board', 'virt'),
  )
})

test('what the command line says counts more', async () => {
  aProject("{ plugins: [raspi({ image: 'debian-12-armhf', board: 'virt' })] }")
  const { out, err } = await run(['cache-key', '--json', '--image', 'debian-12-arm64'])
  expect(err).toBe('From vitest.config.ts: board virt (1024 MiB, 2 cores).')
  expect(JSON.parse(out).parts.images).toEqual(await imagesOf('--no-config', '--board', 'virt'))
  const besides = await imagesOf('--package', 'rsync')
  expect(besides).toEqual(await imagesOf('--image', 'debian-12-armhf', '--package', 'rsync'))
  // Nothing is left to be said.
  aProject("{ get plugins() { throw new Error('loaded') } }")
  const all = ['--image', 'debian-12-arm64', '--board', 'virt', '--cache-dir', 'cache']
  expect(await run(['cache-key', ...all])).toMatchObject({ exitCode: 0, err: '' })
})

test('a configuration that says nothing, and none at all, are passed over in silence', async () => {
  for (const config of ['{ plugins: [raspi()] }', '{}', undefined]) {
    aProject(config)
    expect(await run(['cache-key'])).toMatchObject({ exitCode: 0, err: '' })
  }
})

test('a configuration that is not read because there is no Vitest is told, and an error where it was asked for', async () => {
  const dir = repositoryOf({ 'vitest.config.ts': configOf("{ plugins: [raspi({ board: 'virt' })] }") })
  vi.spyOn(process, 'cwd').mockReturnValue(dir)
  onTestFinished(() => void vi.restoreAllMocks())
  expect(await run(['cache-key'])).toMatchObject({
    exitCode: 0,
    err: `vitest.config.ts is not read: ${dir} has no Vitest. Install the dependencies of the project, by \`npm ci\`.`,
  })
  expect(await run(['cache-key', '--no-config'])).toMatchObject({ exitCode: 0, err: '' })
  for (const asked of [
    ['--config', 'vitest.config.ts'],
    ['--project', 'pi'],
  ])
    expect(await run(['cache-key', ...asked])).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining(`cannot be loaded: ${dir} has no Vitest.`),
    })
})

test('it is said what is waited for where a configuration takes its time', async () => {
  aProject('(await new Promise((done) => setTimeout(done, 3_000)), {})')
  expect((await runCli(['cache-key'])).err).toContain('Vitest loads vitest.config.ts …')
})

test('of several projects all images are in the key, and one board', async () => {
  aProject(
    projects(
      project('armhf', "{ image: 'debian-12-armhf' }"),
      project('rsync', "{ image: { name: 'debian-12-arm64', packages: ['rsync'] } }"),
      project('plain', '{}'),
      project('again', '{}'),
      project('without'),
    ),
  )
  const all = await imagesOf()
  const { 'debian-12-arm64': plain } = await imagesOf('--no-config')
  const rsync = await imagesOf('--project', 'rsync')
  expect(rsync).toEqual(await imagesOf('--no-config', '--package', 'rsync'))
  expect(all).toEqual({
    ...(await imagesOf('--no-config', '--image', 'debian-12-armhf')),
    'debian-12-arm64': expect.any(String),
  })
  // Of two with one name both count.
  expect([plain, rsync['debian-12-arm64']]).not.toContain(all['debian-12-arm64'])
  expect(await run(['cache-key', '--project', 'without'])).toMatchObject({
    ...{ exitCode: 2, out: '' },
    err:
      'There is no project without with raspi() in vitest.config.ts.\n' +
      '  There are armhf, rsync, plain and again.',
  })
})

test('projects that differ are to be chosen from', async () => {
  aProject(projects(project('pi', '{ maxPis: 2 }'), project('big', "{ board: 'virt' }")))
  for (const [command, differ, flags] of [
    [['cache-key'], 'board', '--board'],
    [['up'], 'board', '--board'],
    [['freeze', '--to', 'pis'], 'board', '--board'],
  ] as const)
    expect(await run(command)).toEqual({
      ...{ exitCode: 2, out: '' },
      err:
        `The projects pi and big of vitest.config.ts differ in ${differ}.\n` +
        `  Choose one by --project <name>, or give ${flags}.`,
    })
  expect((await run(['cache-key', '--project', 'big'])).err).toBe(
    'From project big of vitest.config.ts: board virt (1024 MiB, 2 cores).',
  )
})

test('the smallest maxPis counts, and a cache that is spelled out may be the usual one', async () => {
  const cacheDir = join(scratchDir(), 'vitest-raspi')
  const said = JSON.stringify({ cacheDir, maxPis: 4 })
  const cwd = aProject(projects(project('a', said), project('b', '{ maxPis: 2 }'), project('c', '{}')))
  const env = { ...process.env, VITEST_RASPI_CACHE: cacheDir }
  const log = vi.fn()
  const taken = await fromProject({}, ['cacheDir', 'maxPis'], { cwd, env, log })
  expect(taken).toMatchObject({ cacheDir: undefined, maxPis: 2 })
  expect(log.mock.lastCall).toEqual(['From vitest.config.ts: maxPis 2.'])
})

test('where lock files pin an image differently, one of them is to be chosen, whatever else the command line says', async () => {
  const lock = (date: string) =>
    JSON.stringify({
      version: 1,
      images: {
        'raspios-lite-arm64@latest': { url: `https://images.test/${date}.img`, sha256: date.padEnd(64, '0') },
      },
    })
  const dir = aProject(projects("'./a'", "'./b'"), {
    'a/vite.config.ts': configOf(project('a', "{ image: 'raspios-lite-arm64' }")),
    'b/vite.config.ts': configOf(project('b', "{ image: 'raspios-lite-arm64@latest' }")),
    'a/vitest-raspi.lock.json': lock('2026'),
    'b/vitest-raspi.lock.json': lock('2025'),
  })
  const all = [
    '--board',
    'raspi3b',
    '--image',
    'raspios-lite-arm64',
    '--cache-dir',
    'cache',
    '--engine',
    'x',
    '--engine-image',
    'x',
  ]
  expect(await run(['freeze', '--to', 'pis', ...all])).toEqual({
    ...{ exitCode: 2, out: '' },
    err:
      'The projects a and b of vitest.config.ts differ in what their lock files pin.\n' +
      '  Choose one by --project <name>.',
  })
  const log = vi.fn()
  const context = { cwd: dir, env: process.env, log }
  const lockDir = (options: object) => fromProject(options, ['lockDir'], context)
  expect(await lockDir({ project: 'b' })).toEqual({ lockDir: join(dir, 'b') })
  expect(await lockDir({ project: 'b', image: 'debian-12-arm64' })).toEqual({ lockDir: join(dir, 'b') })
  // They pin nothing of it.
  expect(await lockDir({ image: 'raspios-lite-armhf' })).toEqual({ lockDir: join(dir, 'a') })
})

test('a project or a configuration that is not there is an error, also where the command line says all', async () => {
  aProject(projects(project('pi', '{}')))
  const all = ['cache-key', '--image', 'debian-12-arm64', '--board', 'virt', '--cache-dir', 'cache']
  expect((await run([...all, '--project', 'typo'])).err).toContain('There is no project typo')
  expect((await run([...all, '--config', 'typo'])).err).toMatch(/There is no file .*typo/)
})

test('a project that does not extend what has raspi() around it has no Pis', async () => {
  aProject(
    `{ plugins: [raspi({ board: 'virt' })], test: { projects: [{ extends: true, test: { name: 'pi' } }, ${project('other')}] } }`,
  )
  expect((await run(['cache-key', '--project', 'other'])).err).toContain('There is pi.')
})

test('paths begin where they do in tests: those of images at the configuration, the cache where the user is', async () => {
  const dir = aProject(projects("'./inner'"), {
    'inner/vite.config.ts': configOf(
      "{ plugins: [raspi({ image: { file: 'pi.img', user: 'me' }, cacheDir: 'cache', maxPis: 3 })] }",
    ),
    'inner/pi.img': 'an image',
    'inner/vitest-raspi.lock.json': '{}',
  })
  const log = vi.fn()
  const taken = await fromProject({}, ['image', 'cacheDir', 'maxPis', 'lockDir'], { cwd: dir, env: {}, log })
  const file = join(dir, 'inner/pi.img')
  expect(taken).toEqual({
    ...{ image: { file, user: 'me' }, cacheDir: join(dir, 'cache'), maxPis: 3, lockDir: join(dir, 'inner') },
  })
  expect(log.mock.lastCall).toEqual([
    `From vitest.config.ts: image ${file} (user), cacheDir ${join(dir, 'cache')}, maxPis 3.`,
  ])
  // The lock file beside the configuration counts as well, and is wrong.
  const pinned = ['--image', 'raspios-lite-arm64', '--board', 'raspi3b', '--cache-dir', 'cache']
  expect((await run(['cache-key', ...pinned])).err).toContain('inner/vitest-raspi.lock.json cannot be read')
  writeFileSync(join(dir, 'inner/vitest-raspi.lock.json'), '{ "version": 1, "images": {} }')
  const { out } = await run(['cache-key', '--json'])
  const { parts, paths } = JSON.parse(out)
  expect(Object.keys(parts.images)).toEqual(['pi.img'])
  expect(paths[0]).toBe(join(dir, 'cache/images'))
})

test('up takes the engine and the share, where they are not what the environment says', async () => {
  const socket = 'unix:///nowhere/docker.sock'
  const said = `{ engine: { docker: '${socket}' }, share: 'pis' }`
  const cwd = aProject(`{ plugins: [raspi(${said})] }`)
  const flags = ['--image', './none.img', '--board', 'virt', '--max-pis', '1', '--cache-dir', 'cache']
  const { exitCode, err } = await run(['up', ...flags], standingContext().context)
  expect(exitCode).toBe(1)
  const [told, ...failed] = err.split('\n')
  expect(told).toBe(`From vitest.config.ts: engine ${socket}, share.`)
  expect(failed.join()).toContain(socket)
  const log = vi.fn()
  const taken = (cwd: string, env: NodeJS.ProcessEnv = {}) =>
    fromProject({}, ['engineChoice', 'share'], { cwd, env: { ...process.env, ...env }, log })
  expect(await taken(cwd)).toEqual({ engineChoice: { docker: socket }, share: join(cwd, 'pis') })
  log.mockClear()
  expect(await taken(aProject('{ plugins: [raspi()] }'), { VITEST_RASPI_ENGINE: 'docker' })).toEqual({})
  expect(log.mock.calls.join()).not.toContain('engine')
})

test('freeze takes the engine', async () => {
  const socket = 'unix:///nowhere/docker.sock'
  aProject(`{ plugins: [raspi({ engine: { docker: ['${socket}', 'ssh://other'], image: 'own/qemu:9' } })] }`)
  const { exitCode, err } = await run(['freeze', '--to', 'pis'])
  expect(exitCode).toBe(1)
  expect(err).toContain(`From vitest.config.ts: engine ${socket}, engine image own/qemu:9.\n`)
  expect(err.split('\n').slice(1).join()).toContain(socket)
})

test('a configuration that cannot be loaded is told with its cause, unless it is to be left unread', async () => {
  for (const [config, why] of [
    ["(() => { throw new Error('PASSWORD is not set') })()", 'PASSWORD is not set.\n'],
    ['{', '[PARSE_ERROR] Expected `}` but found `EOF`.\n'],
    ["{ plugins: [raspi({ bord: 'virt' })] }", 'The options of raspi() are wrong.\n'],
    ['process.exit(3)', 'it ended the process (exit code 3).\n'],
  ] as const) {
    aProject(config)
    const { exitCode, out, err } = await run(['cache-key'])
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(`${err}\n`).toContain(
      `vitest.config.ts cannot be loaded: ${why}  Correct it, or leave it unread by --no-config.\n`,
    )
    expect(await run(['cache-key', '--no-config'])).toMatchObject({ exitCode: 0, err: '' })
  }
  // Of somebody who builds a site with it, perhaps.
  aProject(undefined, { 'vite.config.js': '{' })
  expect((await run(['cache-key'])).err).toContain('\n  Leave it unread by --no-config, or correct it.')
  aProject("{ plugins: [raspi({ bord: 'virt' })] }")
  expect((await run(['up'])).err).toContain('There is no bord')
})

test('another configuration can be named', async () => {
  aProject('{}', { 'test/pi.config.ts': configOf("{ plugins: [raspi({ board: 'virt' })] }") })
  expect((await run(['cache-key', '--config', 'test/pi.config.ts'])).err).toContain(
    'From test/pi.config.ts: board virt',
  )
  expect(await run(['cache-key', '--config', 'nope.ts'])).toMatchObject({ exitCode: 2, out: '' })
})

test('what a configuration prints is not what the command prints', async () => {
  aProject(
    "(console.log('key=mine'), process.stdout.write('out\\n'), console.error('err'), { plugins: [raspi()] })",
  )
  const { out, err } = await run(['cache-key', '--for', 'github'])
  expect(out).toMatch(/^key=vitest-raspi-.*\nend-of-path$/s)
  expect(out).not.toMatch(/mine|^(out|err)$/m)
  expect(err.split('\n').sort()).toEqual(['err', 'key=mine', 'out'])
})

/** Starts what keeps hold of the configuration's pipes for 30 s; its process's id is in the file `held`. */
const holder = `(() => {
  const sleep = process.getBuiltinModule('child_process').spawn('/bin/sleep', ['30'], { detached: true, stdio: 'inherit' })
  process.getBuiltinModule('fs').writeFileSync('held', String(sleep.pid))
  sleep.unref()
})()`

/** Ends what {@link holder} has started in `dir`. Throws where it has not been left alone. */
const endHolder = (dir: string) => process.kill(Number(readFileSync(join(dir, 'held'), 'utf8')))

test('what a configuration has started is left alone, and not waited for', { timeout: 60_000 }, async () => {
  for (const [config, exitCode] of [
    [`(${holder}, console.log('started'), { plugins: [raspi({ board: 'virt' })] })`, 0],
    [`(${holder}, console.log('started'), process.exit(3))`, 2],
  ] as const) {
    const dir = aProject(config)
    const started = performance.now()
    const ran = await run(['cache-key'])
    endHolder(dir)
    expect(ran).toMatchObject({
      exitCode,
      err: expect.stringMatching(/^started\n.*(board virt|exit code 3)/),
    })
    expect(performance.now() - started).toBeLessThan(20_000)
  }
})

test('a configuration that does not come to its end is given up, and said to be', {
  timeout: 60_000,
}, async () => {
  const dir = aProject(`await (${holder}, setInterval(() => {}, 1_000), new Promise(() => {}))`)
  const reading = readProjects({}, { cwd: dir, env: process.env, log: () => {}, loadMs: 8_000 })
  await expect(reading).rejects.toThrow('vitest.config.ts cannot be loaded: it was not done after 8 s.')
  endHolder(dir)
  aProject('await new Promise(() => {})')
  expect((await run(['cache-key'])).err).toContain('it ended the process (exit code 13).')
})

test('messages of the configuration are no answer', async () => {
  aProject(
    "(process.send('ready'), process.send({ failed: 'mine' }), { plugins: [raspi({ board: 'virt' })] })",
  )
  expect((await run(['cache-key'])).err).toBe('From vitest.config.ts: board virt (1024 MiB, 2 cores).')
})

test('where nobody waits for the answer any more, the configuration is not loaded to its end', async () => {
  const dir = aProject("await (console.log('loading'), new Promise((done) => setTimeout(done, 30_000)))")
  const api = join(dir, 'node_modules/vitest/dist/node.js')
  const child = fork(
    join(repository, 'src/cli/project/ask-vitest.ts'),
    [api, dir, join(dir, 'vitest.config.ts')],
    { execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  )
  if (child.stdout) await once(child.stdout, 'data')
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(20_000) })
  child.disconnect()
  await ended.finally(() => child.kill())
})
