import type { Readable } from 'node:stream'
import type { EntryContents, SharePlace } from './place.ts'

/** A place that keeps files by relative paths: the description of an entry as NAME.json, contents below content/. */
export abstract class FilePlace implements SharePlace {
  abstract readonly shown: string

  /** What is kept at `path`; nothing where nothing is. */
  protected abstract get(path: string, signal: AbortSignal): Promise<Readable | undefined>
  protected abstract has(path: string, signal: AbortSignal): Promise<boolean>
  /** Keeps a file at `path`, whole or not at all. */
  protected abstract put(path: string, file: string, signal: AbortSignal): Promise<void>
  abstract close(): Promise<void>

  getEntry(name: string, signal: AbortSignal): Promise<Readable | undefined> {
    return this.get(entryPath(name), signal)
  }

  hasEntry(name: string, signal: AbortSignal): Promise<boolean> {
    return this.has(entryPath(name), signal)
  }

  putEntry(name: string, description: string, _: EntryContents, signal: AbortSignal): Promise<void> {
    return this.put(entryPath(name), description, signal)
  }

  getContent(sha256: string, signal: AbortSignal): Promise<Readable | undefined> {
    return this.get(contentPath(sha256), signal)
  }

  hasContent(sha256: string, signal: AbortSignal): Promise<boolean> {
    return this.has(contentPath(sha256), signal)
  }

  putContent(sha256: string, packed: string, signal: AbortSignal): Promise<void> {
    return this.put(contentPath(sha256), packed, signal)
  }
}

const entryPath = (name: string) => `${name}.json`
const contentPath = (sha256: string) => `content/${sha256}.zst`
