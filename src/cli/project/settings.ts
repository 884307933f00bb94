import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { BoardOption } from '../../board-option.ts'
import { type EngineChoice, engineSchema } from '../../engine-option.ts'
import { listOf } from '../../host/list-of.ts'
import { defaultCacheDir } from '../../host/paths.ts'
import { lockFileName, lockNameOf, readLockFile } from '../../image/lock-file.ts'
import { imageAt, parseReference } from '../../image/reference.ts'
import { type ImageOption, nameOfImage } from '../../image-option.ts'
import { boardOf, optionOf } from '../../machine/boards.ts'
import { engineOf, optionsSchema } from '../../options.ts'
import { shareAt } from '../../share/open-share.ts'
import type { SaidProject } from './projects.ts'

/** What commands can take from a project, by the names of their own options. Paths are absolute. */
export interface Settings {
  image: ImageOption
  /** For a command that is about all projects: those of each. */
  images: ImageOption[]
  board: BoardOption
  cacheDir: string | undefined
  maxPis: number | undefined
  /** The directory whose lock file counts. */
  lockDir: string | undefined
  /** For a command that is about all projects: that of each. */
  lockDirs: string[]
  /** What Pis run on, where that is not what the environment says. */
  engineChoice: EngineChoice | undefined
  share: string | undefined
  /** An address or a context of Docker's; of several the first. */
  engine: string | undefined
  /** The container image that Pis run in. */
  engineImage: string | undefined
}

/** What decides besides projects. */
export interface SettingContext {
  env: NodeJS.ProcessEnv
  /** What lock files call the images that the command line says in place of theirs; undefined where it says none. */
  lockNames: readonly string[] | undefined
}

/** One of them. */
export interface Setting<Value> {
  /** What people call it. @default as it is called here */
  name?: string
  /** Gives it on a command line, where one can. */
  flag?: string
  /** What projects say: more than one where they differ. */
  of: (projects: readonly SaidProject[], context: SettingContext) => Value[]
  /** It in words, where it is not the default. */
  told: (value: Value) => string | undefined
}

const each =
  <Value>(of: (project: SaidProject, env: NodeJS.ProcessEnv) => Value) =>
  (projects: readonly SaidProject[], { env }: SettingContext) =>
    distinct(projects.map((project) => of(project, env)))

const lockDirsOf = (projects: readonly SaidProject[]) => distinct(projects.map(({ baseDir }) => baseDir))

/** What lock files call those of `images` that they pin. */
export const lockNamesOf = (images: readonly ImageOption[], cwd?: string): string[] =>
  images.flatMap((image) => lockNameOf(parseReference(image, cwd)) ?? [])

const imageOf = ({ image, baseDir }: SaidProject) => imageAt(image, baseDir)

const { image: imageSchema, board: boardSchema } = optionsSchema.shape
const usualImage = imageSchema.parse(undefined)
const usualBoard = boardSchema.parse(undefined)

/** What Pis boot and are where nobody says otherwise, for the help. */
export const usual = { image: nameOfImage(usualImage), board: boardOf(usualBoard).name }

export const settings: { [Key in keyof Settings]: Setting<Settings[Key]> } = {
  image: {
    flag: '--image',
    of: each(imageOf),
    told: (image) => (image === usualImage ? undefined : `image ${inWords(image)}`),
  },
  images: {
    flag: '--image',
    of: (projects) => [distinct(projects.map(imageOf))],
    told: (images) =>
      isDeepStrictEqual(images, [usualImage]) ? undefined : `image ${listOf(images.map(inWords))}`,
  },
  board: {
    flag: '--board',
    // `virt` is the same as `virt` with the sizes that it has.
    of: each(({ board }) => optionOf(boardOf(board))),
    told(board) {
      if (typeof board === 'string') return board === usualBoard ? undefined : `board ${board}`
      return `board ${board.name} (${board.memoryMiB} MiB, ${board.cores} cores)`
    },
  },
  cacheDir: {
    flag: '--cache-dir',
    of: each(({ cacheDir }, env) => (cacheDir === defaultCacheDir(env) ? undefined : cacheDir)),
    told: (dir) => (dir === undefined ? undefined : `cacheDir ${dir}`),
  },
  maxPis: {
    flag: '--max-pis',
    // What is too much in one project is too much.
    of(projects) {
      const said = projects.flatMap(({ maxPis }) => maxPis ?? [])
      return [said.length > 0 ? Math.min(...said) : undefined]
    },
    told: (count) => (count === undefined ? undefined : `maxPis ${count}`),
  },
  lockDir: {
    name: 'what their lock files pin',
    // They count only for images whose newest release is asked for.
    of(projects, { lockNames }) {
      const dirs = lockDirsOf(projects)
      const names = lockNames ?? lockNamesOf(projects.map(imageOf))
      if (names.length === 0) return dirs.slice(0, 1)
      const pinned = dirs.map((dir) => readLockFile(join(dir, lockFileName)))
      const differ = distinct(pinned.map((images) => names.map((name) => images[name]))).length > 1
      return differ ? dirs : dirs.slice(0, 1)
    },
    told: () => undefined,
  },
  lockDirs: {
    of: (projects) => [lockDirsOf(projects)],
    told: () => undefined,
  },
  engineChoice: {
    name: 'engine',
    of: each(({ engine }, env) =>
      isDeepStrictEqual(engine, engineSchema.parse(engineOf(env))) ? undefined : engine,
    ),
    told(engine) {
      if (engine === undefined || engine === 'process') return engine && `engine ${engine}`
      return `engine ${engine.docker === true ? 'docker' : listOf([engine.docker].flat())}`
    },
  },
  share: {
    of: each(({ share, baseDir }) => share && shareAt(share, baseDir)),
    // Its URL may have a password.
    told: (share) => share && 'share',
  },
  engine: {
    flag: '--engine',
    of: each(({ engine }) =>
      engine === 'process' || engine.docker === true ? undefined : [engine.docker].flat()[0],
    ),
    told: (engine) => (engine === undefined ? undefined : `engine ${engine}`),
  },
  engineImage: {
    flag: '--engine-image',
    of: each(({ engine }) => (engine === 'process' ? undefined : engine.image)),
    told: (image) => (image === undefined ? undefined : `engine image ${image}`),
  },
}

/** `debian-12-arm64 (packages)`: what an object says besides is only named. */
function inWords(image: ImageOption): string {
  const name = nameOfImage(image)
  const besides =
    typeof image === 'string' ? [] : Object.keys(image).filter((key) => !/^(name|url|file)$/.test(key))
  return besides.length > 0 ? `${name} (${besides.join(', ')})` : name
}

/** Each of `values` once. */
function distinct<Value>(values: readonly Value[]): Value[] {
  return values.filter(
    (value, index) => values.findIndex((other) => isDeepStrictEqual(other, value)) === index,
  )
}
