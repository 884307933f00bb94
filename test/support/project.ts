import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultCacheDir } from '../../src/host/paths.ts'
import { VitestRun } from './vitest-run.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** What a seeded project is made of. */
export interface ProjectOptions {
  /** Texts by their paths in the project; package.json, vitest.config.ts and ansible.cfg have defaults. */
  files: Record<string, string>
  /** The options of `raspi()`, as source. @default '' */
  options?: string
  /** The cache of its runs. @default the one of the test that seeds it, which has an image and a frozen Pi */
  cacheDir?: string
  /** A node_modules directory with the Vitest and the Vite to use. @default the repository's */
  vitestFrom?: string
}

/** A repository of a user's, in a directory of its own with a blank in its path, with this package installed by copy. */
export class Project implements Disposable {
  /** Holds all of it; short, for there are sockets below it. */
  readonly root: string
  readonly dir: string
  /** The temporary directory of its runs, so that what they leave can be told from what others do. */
  readonly tmpDir: string
  readonly cacheDir: string
  readonly #runs = new Set<VitestRun>()

  constructor({ files, options = '', cacheDir = defaultCacheDir(), vitestFrom }: ProjectOptions) {
    this.root = mkdtempSync(join(tmpdir(), 'rt-'))
    this.dir = join(this.root, 'my pis')
    this.tmpDir = join(this.root, 't')
    this.cacheDir = cacheDir
    mkdirSync(this.tmpDir)
    const defaults = {
      'package.json': '{ "name": "my-pis", "private": true, "type": "module" }\n',
      'vitest.config.ts': [
        "import { defineConfig } from 'vitest/config'",
        "import { raspi } from 'vitest-raspi/plugin'",
        `export default defineConfig({ plugins: [raspi({ ${options} })] })\n`,
      ].join('\n'),
      'ansible.cfg': '[defaults]\n',
    }
    this.write({ ...defaults, ...files })
    install(join(this.dir, 'node_modules'), vitestFrom ?? join(repository, 'node_modules'))
  }

  /** Writes texts by their paths in the project. */
  write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.dir, path)), { recursive: true })
      writeFileSync(join(this.dir, path), text)
    }
  }

  /** Starts `vitest run` as a user does; `args` and `env` are added. */
  vitest(args: string[] = [], env: NodeJS.ProcessEnv = {}): VitestRun {
    const run = new VitestRun(this, args, env)
    this.#runs.add(run)
    return run
  }

  /** Starts `vitest --watch` on a terminal of its own. */
  watch(args: string[] = [], env: NodeJS.ProcessEnv = {}): VitestRun {
    const run = new VitestRun(this, args, env, { watch: true })
    this.#runs.add(run)
    return run
  }

  /** What runs have left in their temporary directory. */
  leftovers(): string[] {
    return readdirSync(this.tmpDir).filter((name) => /raspi/.test(name))
  }

  /** Ends what still runs and removes the directory. */
  [Symbol.dispose](): void {
    for (const run of this.#runs) run.end()
    rmSync(this.root, { recursive: true, force: true })
  }
}

/**
 * Makes a cache in `dir`, or adds to it, that has the key of the test's own cache, and its `kinds` of things. By links: a
 * frozen Pi's card names its image by a relative path, which leads through them.
 */
export function makeCache(dir: string, ...kinds: ('images' | 'frozen')[]): string {
  const from = defaultCacheDir()
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  if (!existsSync(join(dir, 'keys'))) symlinkSync(join(from, 'keys'), join(dir, 'keys'))
  for (const kind of kinds) {
    mkdirSync(join(dir, kind), { recursive: true, mode: 0o700 })
    for (const name of entriesOf(from, kind)) symlinkSync(join(from, kind, name), join(dir, kind, name))
  }
  return dir
}

/** What counts in a cache as an image or a frozen Pi: a directory named by its content. */
export function entriesOf(cacheDir: string, kind: 'images' | 'frozen'): string[] {
  const dir = join(cacheDir, kind)
  return existsSync(dir) ? readdirSync(dir).filter((name) => /^[0-9a-f]{64}$/.test(name)) : []
}

/** What npm would do, without its time: our built package by copy, everything else by a link. */
function install(nodeModules: string, vitestFrom: string): void {
  const ours = join(nodeModules, 'vitest-raspi')
  mkdirSync(ours, { recursive: true })
  for (const part of ['dist', 'package.json'])
    cpSync(join(repository, part), join(ours, part), { recursive: true })
  const { dependencies } = JSON.parse(readFileSync(join(ours, 'package.json'), 'utf8')) as {
    dependencies: object
  }
  // As a user has it who has Pis or Ansible in containers.
  for (const name of [...Object.keys(dependencies), 'testcontainers'])
    link(join(repository, 'node_modules'), name)
  for (const name of ['vitest', 'vite']) link(vitestFrom, name)
  function link(from: string, name: string) {
    symlinkSync(join(from, name), join(nodeModules, name))
  }
}
