import type { Readable } from 'node:stream'

/** Where a share keeps what it has: a directory, or a server. Names are relative paths with `/`. */
export interface SharePlace {
  /** What people may read of where it is: without a password. */
  readonly shown: string
  /** What is kept under `name`; nothing where nothing is. Rejects where that cannot be told. */
  get(name: string, signal: AbortSignal): Promise<Readable | undefined>
  has(name: string, signal: AbortSignal): Promise<boolean>
  /** Keeps a file under `name`, whole or not at all. */
  put(name: string, file: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
