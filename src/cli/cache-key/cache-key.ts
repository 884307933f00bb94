import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { boardNames } from '../../board-option.ts'
import type { HostContext } from '../../host/context.ts'
import { manifest } from '../../host/manifest.ts'
import { lockFileName } from '../../image/lock-file.ts'
import { parseReference } from '../../image/reference.ts'
import type { ImageOption } from '../../image-option.ts'
import { optionsSchema, type RaspiOptions } from '../../options.ts'
import { cacheDirOption, json, type Output } from '../output.ts'
import { addProjectFlags, fromProject, orElse } from '../project/from-project.ts'
import type { ProjectFlags } from '../project/projects.ts'
import { usual } from '../project/settings.ts'
import { type CacheAnswer, type Form, forGithub, forGitlab, forms, forPeople } from './forms.ts'
import { cacheKeyOf } from './key.ts'

const { image, board } = optionsSchema.shape

/** What of a cache is worth keeping: what was downloaded was made into images, and the rest is on its way. */
const kept = ['images', 'frozen', 'layers', 'keys']

const examples = `
Examples:
  vitest-raspi cache-key                                        key and paths, for people
  vitest-raspi cache-key --for github >> "$GITHUB_OUTPUT"       as outputs of a step: key, restore-keys, path
  vitest-raspi cache-key --for gitlab --cache-dir .cache/raspi  as a job for GitLab to extend
  vitest-raspi cache-key --image raspios-lite-arm64             for tests that choose another image than raspi() does
  vitest-raspi cache-key --package rsync                        with a package that the image has besides
  vitest-raspi cache-key --prepare base.yml --json              with what the tests' Pis are prepared by

The key is made of the version of vitest-raspi, the host's kind, its QEMU, how each image is made and frozen, and what the
playbooks may read that prepare Pis. A cache under another key is never wrong, only in part of no use: what is missing is
made. QEMU has to be there: run \`vitest-raspi doctor --fix\` before.`

interface KeyOptions extends ProjectFlags {
  image?: string[]
  package: string[]
  board?: NonNullable<RaspiOptions['board']>
  prepare: string[]
  for?: Form
  cacheDir?: string
  json?: boolean
}

/** Adds `cache-key`, which tells a CI what to keep between runs. */
export function addCacheKey(
  program: Command,
  { context, output }: { context: HostContext; output: Output },
): void {
  const command = program
    .command('cache-key')
    .description('print a key and the paths for the cache of a CI')
    .option('--image <image...>', `what the Pis boot ${orElse(usual.image)}`)
    .option(
      '--package <name>',
      'a Debian package that those of these images have that are built here, once for each',
      (one, all: string[]) => [...all, one],
      [],
    )
    .addOption(new Option('--board <name>', `what QEMU emulates ${orElse(usual.board)}`).choices(boardNames))
    .option('--prepare <playbook...>', 'the playbooks of raspiTest({ prepare })', [])
    .addOption(new Option('--for <ci>', "print it in this CI's format").choices(forms).conflicts('json'))
    .addOption(cacheDirOption('where images and frozen Pis are kept', orElse))
  addProjectFlags(command)
    .option('--json', 'print JSON: { key, restoreKeys, paths, parts }')
    .addHelpText('after', examples)
    .action(async (options: KeyOptions) => {
      const projectDir = process.cwd()
      const { lockDirs = [projectDir], ...taken } = await fromProject(
        { ...options, images: options.image },
        ['images', 'board', 'cacheDir', 'lockDirs'],
        { cwd: projectDir, env: context.env, log: output.err },
      )
      const { cacheDir = context.cacheDir } = { ...options, ...taken }
      const images = options.image ?? taken.images ?? [image.parse(undefined)]
      const needs = {
        images: withPackages(images, options.package, projectDir),
        board: board.parse(options.board ?? taken.board),
        ...{ playbooks: options.prepare, projectDir },
        lockFiles: lockDirs.map((dir) => join(dir, lockFileName)),
      }
      const answer: CacheAnswer = {
        ...(await cacheKeyOf(needs, { ...context, cacheDir }, manifest().version, output.err)),
        paths: kept.map((name) => join(cacheDir, name)),
      }
      if (options.json) return output.out(json(answer))
      for (const line of shown(answer, options.for, projectDir)) output.out(line)
    })
}

/** `images` with `packages`, those that can have any; where none can, all, of which it is said then. */
function withPackages(
  images: readonly ImageOption[],
  packages: readonly string[],
  projectDir: string,
): ImageOption[] {
  if (packages.length === 0) return [...images]
  const isBuilt = (one: ImageOption) => parseReference(one, projectDir).kind === 'recipe'
  const none = !images.some(isBuilt)
  return images.map((one) => (none || isBuilt(one) ? withMore(one, packages) : one))
}

function withMore(image: ImageOption, packages: readonly string[]): ImageOption {
  if (typeof image === 'string') return { name: image, packages: [...packages] }
  return { ...image, packages: [...new Set([...(image.packages ?? []), ...packages])] }
}

function shown(answer: CacheAnswer, form: Form | undefined, projectDir: string): string[] {
  if (form === 'github') return forGithub(answer)
  return form === 'gitlab' ? forGitlab(answer, projectDir) : forPeople(answer)
}
