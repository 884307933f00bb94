import type Dockerode from 'dockerode'
import * as z from 'zod'
import { freezeKeyOf, frozenId, manifestSchema } from '../../freeze/store.ts'
import type { Image } from '../../image/image.ts'
import { originOf } from '../../image/origin.ts'
import type { Reference } from '../../image/reference.ts'
import type { Board } from '../../machine/boards.ts'
import { inspected } from './images.ts'

const labelName = 'vitest-raspi.frozen'

const labelSchema = z.object({
  manifest: manifestSchema.omit({ files: true }),
  image: z.object({
    name: z.string(),
    id: z.string(),
    architecture: z.enum(['arm64', 'armhf', 'armel']),
    user: z.string(),
    hostKeys: z.array(z.string()),
    cardBytes: z.int().positive(),
  }),
  /** See {@link originOf}; empty for an image that the user has changed. Earlier versions wrote none. */
  origin: z.string().optional(),
  /** The board's id. */
  board: z.string(),
  /** The key that its user accepts. */
  publicKey: z.string(),
})

/** What a container image that holds a frozen Pi tells of it: all that it takes to thaw it elsewhere, and no secret. */
export type FrozenLabel = z.output<typeof labelSchema>

/** The label that tells of a frozen Pi. */
export function frozenLabel(about: {
  manifest: FrozenLabel['manifest']
  image: Image
  origin?: string | undefined
  board: Board
  publicKey: string
}): Record<string, string> {
  const label: FrozenLabel = labelSchema.parse({ ...about, board: about.board.id })
  // A label's value is written in a Containerfile's line, where a word needs no quotes.
  return { [labelName]: Buffer.from(JSON.stringify(label)).toString('base64') }
}

/**
 * What the container image `name` tells of the frozen Pi that it holds; nothing where there is no such image, a sentence
 * that says why where it tells nothing that is understood.
 */
export async function readLabel(docker: Dockerode, name: string): Promise<FrozenLabel | string | undefined> {
  const image = await inspected(docker, name)
  if (!image) return undefined
  const text = image.Config.Labels?.[labelName]
  if (text === undefined) return `it has no label ${labelName}`
  try {
    return labelSchema.parse(JSON.parse(Buffer.from(text, 'base64').toString()))
  } catch {
    return `its label ${labelName} is of another version of vitest-raspi`
  }
}

/** Whether it was frozen on `board`, and as this version of vitest-raspi does that. */
export function isAsFrozenNow({ manifest: { id, key } }: FrozenLabel, board: Board): boolean {
  return key !== undefined && frozenId(freezeKeyOf(key.image, board, key.qemuVersion)) === id
}

/** Whether it is of the image that `reference` means. */
export async function isOf({ origin, image }: FrozenLabel, reference: Reference): Promise<boolean> {
  // The name alone says which one that is where it has a release, or is built by a recipe.
  return (await originOf(reference)) === (origin ?? image.name)
}
