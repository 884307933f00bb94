import type { Readable } from 'node:stream'

/** A file of an entry, by its name in it, and the digest of its content. */
export type EntryContents = Readonly<Record<string, { sha256: string }>>

/**
 * Where a share keeps what it has: entries, each a description and the contents that it tells of. Names of entries are relative paths
 * with `/`; contents go by their digest, 64 hexadecimal digits, and are kept packed. All that asks and keeps rejects where it cannot be told
 * or done.
 */
export interface SharePlace {
  /** What people may read of where it is: without a password. */
  readonly shown: string
  /** The description of the entry `name`, an empty one where it has been lost; nothing where there is no such entry. */
  getEntry(name: string, signal: AbortSignal): Promise<Readable | undefined>
  hasEntry(name: string, signal: AbortSignal): Promise<boolean>
  /** Keeps the file `description` as that of the entry `name`, whole or not at all. Its contents are there: they were put before. */
  putEntry(name: string, description: string, contents: EntryContents, signal: AbortSignal): Promise<void>
  /** A content of an entry that {@link SharePlace.getEntry} gave; nothing where it is not there. */
  getContent(sha256: string, signal: AbortSignal): Promise<Readable | undefined>
  /** Whether a content need not be put. */
  hasContent(sha256: string, signal: AbortSignal): Promise<boolean>
  /** Keeps a packed file as the content `sha256`, whole or not at all. */
  putContent(sha256: string, packed: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
