import { resolve } from 'node:path'
import { readConfig } from '../../ansible/config.ts'
import { findPlaybook } from '../../ansible/playbooks.ts'
import type { BoardOption } from '../../board-option.ts'
import { freezeKeyOf, frozenId } from '../../freeze/store.ts'
import type { HostContext } from '../../host/context.ts'
import type { Log } from '../../host/progress.ts'
import { assertNeeds } from '../../host/requirements.ts'
import { recipeOf } from '../../image/catalogue.ts'
import { localDigest } from '../../image/local-file.ts'
import { lockNameOf, readLockFile } from '../../image/lock-file.ts'
import { recipeId } from '../../image/recipe.ts'
import { parseReference } from '../../image/reference.ts'
import { withSteps } from '../../image/steps.ts'
import { type ImageOption, nameOfImage } from '../../image-option.ts'
import { boardOf } from '../../machine/boards.ts'
import { digest, inputsOf } from '../../prepare/inputs.ts'
import { placesOf } from '../../prepare/places.ts'

/** What a project's tests need in the cache. */
export interface CacheNeeds {
  /** The images that its Pis boot, as `raspi({ image })` takes them. */
  images: readonly ImageOption[]
  board: BoardOption
  /** The playbooks that prepare Pis, relative to the project. */
  playbooks: readonly string[]
  projectDir: string
  /** What may pin images. */
  lockFiles: readonly string[]
}

/** All that decides whether what is in a cache is of use. */
export interface CacheKeyParts {
  /** Of vitest-raspi. */
  version: string
  /** `linux-x64`. */
  host: string
  qemu: string
  /** Digests: of each image with how it is frozen, by its name, those of several of one name together; of what each playbook may read. */
  images: Record<string, string>
  /** That of ansible-core, and what playbooks may read: of a project that prepares Pis. */
  ansible?: string
  playbooks?: Record<string, string>
}

/** A key for a CI's cache, and the keys of caches that are of use in part. */
export interface CacheKey {
  key: string
  /** How the keys of those begin, the best first. */
  restoreKeys: string[]
  parts: CacheKeyParts
}

/**
 * Works the key out. Throws a `RaspiError` where an image is unknown, or it or a playbook is not there, or the host has no
 * QEMU whose version counts. Says through `log` what takes long.
 */
export async function cacheKeyOf(
  needs: CacheNeeds,
  context: HostContext,
  version: string,
  log: Log = () => {},
): Promise<CacheKey> {
  const { playbooks } = needs
  const prepares = playbooks.length > 0
  const [qemu, ansible] = await assertNeeds(
    ['qemu', ...(prepares ? (['ansiblePlaybook'] as const) : [])],
    context,
  )
  const parts: CacheKeyParts = {
    version,
    host: `${context.platform}-${context.arch}`,
    qemu: qemu?.version ?? '',
    images: await imageParts(needs, qemu?.version ?? '', { cacheDir: context.cacheDir, log }),
    ...(prepares
      ? { ansible: ansible?.version ?? '', playbooks: await playbookParts(needs, context, ansible?.path) }
      : {}),
  }
  const all = `vitest-raspi-${parts.host}-`
  const same = plain(`${all}${version}-qemu-${parts.qemu}-`)
  return { key: `${same}${digest(parts).slice(0, 16)}`, restoreKeys: [same, all], parts }
}

async function imageParts(
  needs: CacheNeeds,
  qemuVersion: string,
  context: { cacheDir: string; log: Log },
): Promise<Record<string, string>> {
  const parts = await Promise.all(needs.images.map((image) => imagePart(image, needs, qemuVersion, context)))
  const names = [...new Set(parts.map(({ name }) => name))].sort()
  return Object.fromEntries(
    names.map((name) => {
      const ids = [...new Set(parts.filter((part) => part.name === name).map(({ id }) => id))].sort()
      return [name, ids.length === 1 ? (ids[0] ?? '') : digest(ids)]
    }),
  )
}

/** Names an image and how it is frozen, whatever key and host keys a cache gives it: they differ in each that is begun. */
async function imagePart(
  image: ImageOption,
  { board: option, projectDir, lockFiles }: CacheNeeds,
  qemuVersion: string,
  context: { cacheDir: string; log: Log },
): Promise<{ name: string; id: string }> {
  const reference = parseReference(image, projectDir)
  const { name, steps } = reference
  const pinned = lockNameOf(reference)
  // Where it lies is another place on each runner.
  const file = reference.kind === 'file' ? { file: await localDigest(name, reference, context) } : {}
  const source =
    reference.kind === 'recipe'
      ? recipeId(withSteps(recipeOf(name, ''), steps))
      : digest([
          { ...reference, ...file },
          ...(pinned ? lockFiles.map((path) => readLockFile(path)[pinned]) : []),
        ])
  return {
    name: reference.kind === 'file' ? name : nameOfImage(image),
    id: frozenId(freezeKeyOf(source, boardOf(option), qemuVersion)),
  }
}

async function playbookParts(
  { playbooks, projectDir }: CacheNeeds,
  { env }: HostContext,
  ansiblePlaybook = 'ansible-playbook',
): Promise<Record<string, string>> {
  for (const playbook of playbooks) findPlaybook(playbook, projectDir)
  const config = await readConfig(ansiblePlaybook, { cwd: projectDir, env })
  const parts = playbooks.map(async (playbook) => {
    const places = placesOf(resolve(projectDir, playbook), projectDir, config)
    return [playbook, digest(await inputsOf(places, projectDir))] as const
  })
  return Object.fromEntries(await Promise.all(parts))
}

/** What every CI takes in a key. */
const plain = (text: string) => text.replace(/[^\w.-]+/g, '-')
