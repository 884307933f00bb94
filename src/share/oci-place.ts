import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import * as z from 'zod'
import { fileDigest } from '../host/file-digest.ts'
import { isTag } from '../host/oci-names.ts'
import type { EntryContents, SharePlace } from './place.ts'
import { type BlobDescriptor, Registry, type RepositoryPlace } from './registry.ts'
import type { RegistryLogin } from './registry-auth.ts'

/** What our manifests are, and what they are made of. */
const types = {
  artifact: 'application/vnd.vitest-raspi.share.v1',
  description: 'application/vnd.vitest-raspi.entry.v1+json',
  content: 'application/vnd.vitest-raspi.content.v1+zstd',
}

/** The annotation of a layer that tells what it is when it has been unpacked. */
const contentAnnotation = 'vitest-raspi.sha256'
/** What `oras pull` calls the files that it makes of layers. */
const titleAnnotation = 'org.opencontainers.image.title'

const blobSchema = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.int() })
const manifestSchema = z.object({
  config: blobSchema.extend({ mediaType: z.literal(types.description) }),
  layers: z.array(blobSchema.extend({ annotations: z.object({ [contentAnnotation]: z.string() }) })),
})

/**
 * A share in a repository of a container registry. An entry is a tag of it: a manifest whose config is the description, and whose
 * layers are the contents, so that the registry keeps them for as long as the entry.
 */
export class OciPlace implements SharePlace {
  readonly shown: string
  readonly #registry: Registry
  /** The blobs of contents, which are packed and so have another digest: of those that were put, or that an entry has told of. */
  readonly #blobs = new Map<string, BlobDescriptor>()

  /** `login` is asked for when the registry asks for it. */
  constructor(place: RepositoryPlace, login: () => Promise<RegistryLogin | undefined>) {
    this.shown = `oci://${place.registry}/${place.repository}`
    this.#registry = new Registry(place, login)
  }

  async getEntry(name: string, signal: AbortSignal): Promise<Readable | undefined> {
    const found = await this.#registry.getManifest(tagOf(name), signal)
    if (found === undefined) return undefined
    const manifest = manifestSchema.safeParse(found).data
    if (!manifest) throw new Error(`its tag ${tagOf(name)} is of something else`)
    for (const { annotations, digest, size } of manifest.layers)
      this.#blobs.set(annotations[contentAnnotation], { digest, size })
    // A tag whose description is gone is an entry with none in it, which another may replace.
    return (await this.#registry.getBlob(manifest.config.digest, signal)) ?? Readable.from([])
  }

  hasEntry(name: string, signal: AbortSignal): Promise<boolean> {
    return this.#registry.hasManifest(tagOf(name), signal)
  }

  async putEntry(
    name: string,
    description: string,
    contents: EntryContents,
    signal: AbortSignal,
  ): Promise<void> {
    const config = await blobOf(description, signal)
    await this.#registry.putBlob(config, description, signal)
    const manifest = {
      artifactType: types.artifact,
      config: { mediaType: types.description, ...config },
      layers: Object.entries(contents).map(([file, { sha256 }]) => ({
        ...{ mediaType: types.content, ...this.#blobs.get(sha256) },
        annotations: { [titleAnnotation]: `${file}.zst`, [contentAnnotation]: sha256 },
      })),
      annotations: { [titleAnnotation]: name },
    }
    await this.#registry.putManifest(tagOf(name), manifest, signal)
  }

  async getContent(sha256: string, signal: AbortSignal): Promise<Readable | undefined> {
    const blob = this.#blobs.get(sha256)
    return blob && this.#registry.getBlob(blob.digest, signal)
  }

  /** Of others it takes the packed file to tell: {@link OciPlace.putContent} sends nothing that is there. */
  async hasContent(sha256: string): Promise<boolean> {
    return this.#blobs.has(sha256)
  }

  async putContent(sha256: string, packed: string, signal: AbortSignal): Promise<void> {
    const blob = await blobOf(packed, signal)
    await this.#registry.putBlob(blob, packed, signal)
    this.#blobs.set(sha256, blob)
  }

  close(): Promise<void> {
    return this.#registry.close()
  }
}

async function blobOf(file: string, signal: AbortSignal): Promise<BlobDescriptor> {
  return { digest: `sha256:${await fileDigest(file, signal)}`, size: (await stat(file)).size }
}

/** The tag of an entry: its name with dots for slashes, or the digest of that where no tag can be made of it so. */
export function tagOf(name: string): string {
  const tag = name.replaceAll('/', '.')
  return !name.includes('.') && isTag(tag) ? tag : `sha256.${createHash('sha256').update(name).digest('hex')}`
}
