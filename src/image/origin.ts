import { fileDigest } from '../host/file-digest.ts'
import type { Reference } from './reference.ts'

/**
 * What tells an image from all others, on any machine: its name with its release, its URL, the digest of its file. Nothing
 * for one that the user has changed, or whose file cannot be read.
 */
export async function originOf(reference: Reference): Promise<string | undefined> {
  const { kind, steps } = reference
  const changes = [...Object.values(steps), ...(kind === 'recipe' ? [] : [reference.user])]
  if (kind === 'url' || kind === 'file') changes.push(reference.initFormat)
  if (changes.some((change) => change !== undefined)) return undefined
  switch (kind) {
    case 'recipe':
      return reference.name
    case 'raspios':
      return `${reference.name}@${reference.release}`
    case 'url':
      return reference.url
    case 'file':
      return fileDigest(reference.file).then(
        (digest) => `sha256:${digest}`,
        () => undefined,
      )
  }
}
