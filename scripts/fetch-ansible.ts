// `npm run fetch:ansible`: brings the newest ansible-core of Debian's that this host's Python can run, beside the
// installed one, for `npm run test:ansible`. Debian's mirror is the one that apt's own sources name.
import {
  chmodSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { root } from './step.ts'

/** Where each has a directory of its own, by its version. */
const home = join(root, '.vitest/ansible-core')

const suites = ['stable', 'testing', 'unstable']
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** Debian's own, for which its packages are. */
const python = '/usr/bin/python3'
const modules = 'usr/lib/python3/dist-packages'

mkdirSync(home, { recursive: true })
const work = mkdtempSync(join(home, '.fetch-'))
try {
  console.log(await fetchNewest())
} finally {
  rmSync(work, { recursive: true, force: true })
}

async function fetchNewest(): Promise<string> {
  const apt = await aptOf(await mirror())
  await apt('apt-get', 'update')
  const known = new Set<string>()
  for (const version of await versions(apt)) {
    const unpacked = await unpack(apt, version)
    const { release, wantedPython } = about(unpacked)
    if (known.has(release)) continue
    known.add(release)
    if (await pythonIs(wantedPython))
      return `ansible-core ${release} is in ${await settle(unpacked, release)}.`
    console.log(`ansible-core ${release} needs Python ${wantedPython}, which this host has not.`)
  }
  return 'No other ansible-core was found.'
}

/** Where apt has Debian from. */
async function mirror(): Promise<string> {
  const { stdout } = await execa('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Component: main'])
  const found = stdout.split('\n').find((uri) => /\/debian\/?$/.test(uri))
  if (!found) throw new Error("apt's sources name no mirror of Debian.")
  return found
}

/** apt with sources, lists and a cache of its own: the host's know nothing of it. */
async function aptOf(uri: string): Promise<(program: string, ...args: string[]) => Promise<string>> {
  const list = join(work, 'debian.list')
  writeFileSync(list, suites.map((suite) => `deb [signed-by=${keyring}] ${uri} ${suite} main\n`).join(''))
  for (const dir of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(work, dir), { recursive: true })
  const settings = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  }
  const options = Object.entries(settings).map(([name, value]) => `--option=${name}=${value}`)
  return async (program, ...args) =>
    (await execa(program, ['--quiet=2', ...options, ...args], { cwd: work, stderr: 'inherit' })).stdout
}

/** The versions of ansible-core in `suites`, the newest first, as apt has them. */
async function versions(apt: Awaited<ReturnType<typeof aptOf>>): Promise<string[]> {
  const lines = (await apt('apt-cache', 'madison', 'ansible-core')).split('\n')
  return [...new Set(lines.flatMap((line) => /\| (\S+) \|.* Packages$/.exec(line)?.[1] ?? []))]
}

async function unpack(apt: Awaited<ReturnType<typeof aptOf>>, version: string): Promise<string> {
  await apt('apt-get', 'download', `ansible-core=${version}`)
  const [deb = ''] = globSync('*.deb', { cwd: work })
  const dir = mkdtempSync(join(work, 'unpacked-'))
  await execa('dpkg', ['--extract', join(work, deb), dir])
  rmSync(join(work, deb))
  return dir
}

/** What it says of itself: https://packaging.python.org/en/latest/specifications/core-metadata/ */
function about(dir: string): { release: string; wantedPython: string } {
  const [file = ''] = globSync(join(dir, modules, 'ansible_core-*/METADATA'))
  const text = readFileSync(file, 'utf8')
  const of = (name: string) => new RegExp(`^${name}: *(.+)$`, 'm').exec(text)?.[1] ?? ''
  return { release: of('Version'), wantedPython: of('Requires-Python') }
}

/** Whether the host's Python is of a version that `wanted` has: https://packaging.pypa.io/en/stable/specifiers.html */
async function pythonIs(wanted: string): Promise<boolean> {
  const ask = [
    'import platform, sys',
    'from packaging.specifiers import SpecifierSet',
    'sys.exit(platform.python_version() not in SpecifierSet(sys.argv[1]))',
  ]
  const { exitCode } = await execa(python, ['-c', ask.join('\n'), wanted], { reject: false })
  return exitCode === 0
}

/** Gives it its place, with programs that find its modules, which Python would else compile anew each time. */
async function settle(unpacked: string, release: string): Promise<string> {
  const dir = join(home, release)
  const programs = readdirSync(join(unpacked, 'usr/bin')).filter((name) => name !== 'ansible-test')
  mkdirSync(join(unpacked, 'bin'))
  for (const name of programs) {
    const file = join(unpacked, 'bin', name)
    const lines = [
      `#!${python}`,
      'import runpy, sys',
      `sys.path.insert(0, ${JSON.stringify(join(dir, modules))})`,
      `runpy.run_path(${JSON.stringify(join(dir, 'usr/bin', name))}, run_name="__main__")`,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    chmodSync(file, 0o755)
  }
  rmSync(dir, { recursive: true, force: true })
  renameSync(unpacked, dir)
  await execa(python, ['-m', 'compileall', '-q', join(dir, modules, 'ansible')])
  return dir
}
