import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { messageOf } from '../errors.ts'
import { parsedJson } from '../host/json.ts'
import { orAborted } from '../host/or-aborted.ts'
import { privateDir } from '../host/paths.ts'
import type { Log } from '../host/progress.ts'
import { scratchName } from '../host/scratch.ts'
import { sparseDigest } from '../host/sparse-digest.ts'
import { isDamage, pack, unpack } from './pack.ts'
import type { SharePlace } from './place.ts'
import { textOf } from './text-of.ts'

/** What a share says of something that has several files. */
const entrySchema = z.object({
  version: z.literal(1),
  /** Each by its name, with its size in bytes and its sparse digest, under which it is kept. */
  files: z.record(
    z
      .string()
      .regex(/^[\w.-]+$/)
      .refine((name) => !name.startsWith('.')),
    z.object({ size: z.int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
})

type Entry = z.output<typeof entrySchema>

/** How long the share may take, in ms: to answer, to hand over a file or take one, and for what is left at a run's end. */
const patience = { answer: 30_000, file: 600_000, end: 60_000 }

/** The largest description of an entry that is read, in bytes. */
const largestEntry = 1024 * 1024

/**
 * What machines share so that one of them makes a thing and the others fetch it: entries of several files, each file under
 * the digest of its content. Whatever is wrong with it is told and otherwise ignored: what cannot be fetched is made, and
 * shared in place of what is damaged there; what cannot be shared is kept here alone.
 */
export class Share {
  readonly #place: SharePlace
  readonly #scratch: string
  readonly #log: Log
  readonly #answerMs: number
  readonly #offers = new Set<Promise<unknown>>()
  readonly #agreed = new Set<string>()
  readonly #offered = new Set<string>()
  /** The entries and contents of which this machine has seen that they are of no use: what is made here replaces them. */
  readonly #spoilt = new Set<string>()
  readonly #end = new AbortController()
  #down = false
  #refused = false

  /** What is on its way lies below `cacheDir`. A place that has not answered after `answerMs` is given up. */
  constructor(
    place: SharePlace,
    { cacheDir, log, answerMs = patience.answer }: { cacheDir: string; log: Log; answerMs?: number },
  ) {
    this.#place = place
    this.#scratch = join(cacheDir, 'tmp')
    this.#log = log
    this.#answerMs = answerMs
  }

  /**
   * Fetches the entry `name` into the new directory `dir`, and tells whether it is there now; each file of it is checked.
   * Where it is damaged or the share does not answer, says so, and leaves nothing. Rejects only where `signal` aborts.
   */
  async fetch(name: string, dir: string, signal: AbortSignal): Promise<boolean> {
    if (this.#down) return false
    try {
      const entry = await this.#entry(name, signal)
      if (!entry) return false
      await mkdir(dir, { recursive: true, mode: 0o700 })
      for (const [file, expected] of Object.entries(entry.files)) {
        const within = AbortSignal.any([signal, AbortSignal.timeout(patience.file)])
        const stream = await this.#ask(() => this.#place.getContent(expected.sha256, within), within, signal)
        if (!stream) throw this.#spoil(`${file} is missing`, name, expected.sha256)
        await orAborted(unpack(stream, join(dir, file), expected, within), within).catch((error) => {
          signal.throwIfAborted()
          const why = `${file} cannot be used: ${messageOf(error)}`
          // One that came too slowly, or not to its end, may be whole there.
          throw isDamage(error) ? this.#spoil(why, name, expected.sha256) : new Error(why)
        })
        await chmod(join(dir, file), 0o400)
      }
      return true
    } catch (error) {
      await rm(dir, { recursive: true, force: true })
      signal.throwIfAborted()
      this.#log(`${name} of ${this.#place.shown} is not used: ${messageOf(error)}`)
      return false
    }
  }

  /**
   * Makes the file at `path` the entry `name` where there is none, or none with a content. Where there is another one, says `otherwise` and takes no
   * further part in the share. Rejects only where `signal` aborts.
   */
  async agree(name: string, path: string, otherwise: string, signal: AbortSignal): Promise<void> {
    if (this.#down || this.#agreed.has(name)) return
    try {
      let entry = await this.#entry(name, signal)
      if (!entry || !(await this.#hasContents(entry, signal))) {
        // It is a key: whom it is to let in on a machine with several users, only they can tell.
        await this.#put(name, [path], { mode: 0o600 })
        // Another machine may have done so at the same time: what is there now counts for all.
        entry = await this.#entry(name, signal)
      }
      if (entry?.files[basename(path)]?.sha256 === (await sparseDigest(path))) this.#agreed.add(name)
      else this.#leave(otherwise)
    } catch (error) {
      signal.throwIfAborted()
      this.#leave(messageOf(error))
    }
  }

  #leave(why: string): void {
    this.#down = true
    this.#log(`${this.#place.shown} is not used: ${why}`)
  }

  async #hasContents({ files }: Entry, signal: AbortSignal): Promise<boolean> {
    const within = this.#answering(signal)
    const asked = Object.values(files).map(({ sha256 }) =>
      this.#ask(() => this.#place.hasContent(sha256, within), within, signal),
    )
    return (await Promise.all(asked)).every(Boolean)
  }

  /** Says why an entry that was fetched is not used after all; what is made here may replace it. */
  refuse(name: string, why: string): void {
    this.#spoilt.add(name)
    this.#log(`${name} of ${this.#place.shown} is not used: ${why}`)
  }

  /** Shares the files at `paths` as the entry `name`, in the background, unless it is there already and of use. They must not change. */
  offer(name: string, paths: readonly string[]): void {
    if (this.#down || this.#refused || this.#offered.has(name)) return
    this.#offered.add(name)
    const offer = this.#offer(name, paths).catch((error) => {
      const why = this.#end.signal.aborted ? 'the run has ended before it was sent' : messageOf(error)
      this.#log(`${name} is not shared with ${this.#place.shown}: ${why}`)
    })
    this.#offers.add(offer)
    void offer.then(() => this.#offers.delete(offer))
  }

  /** Waits for what is being shared, a minute at most. */
  async close(patienceMs: number = patience.end): Promise<void> {
    const all = Promise.allSettled([...this.#offers])
    if (this.#offers.size > 0) this.#log(`What was made is being sent to ${this.#place.shown}`)
    await Promise.race([all, delay(patienceMs, undefined, { ref: false, signal: this.#end.signal })])
    this.#end.abort()
    await all
    await this.#place.close()
  }

  async #entry(name: string, signal: AbortSignal): Promise<Entry | undefined> {
    const within = this.#answering(signal)
    const stream = await this.#ask(() => this.#place.getEntry(name, within), within, signal)
    if (!stream) return undefined
    const text = await this.#ask(() => textOf(stream, largestEntry), within, signal)
    const entry = entrySchema.safeParse(parsedJson(text)).data
    if (!entry) throw this.#spoil('its description is none', name)
    return entry
  }

  /** Notes what is damaged, and gives the error that says how. */
  #spoil(why: string, ...names: string[]): Error {
    for (const name of names) this.#spoilt.add(name)
    return new Error(why)
  }

  async #offer(name: string, paths: readonly string[]): Promise<void> {
    const there = await this.#isThere(name, (within) => this.#place.hasEntry(name, within))
    if (!there) await this.#put(name, paths)
  }

  async #isThere(name: string, question: (within: AbortSignal) => Promise<boolean>): Promise<boolean> {
    if (this.#spoilt.has(name)) return false
    const within = this.#answering(this.#end.signal)
    return await this.#ask(() => question(within), within, this.#end.signal)
  }

  /** In a directory contents may be read by whoever may read what describes them, unless `mode` says otherwise. */
  async #put(name: string, paths: readonly string[], options: { mode?: number } = {}): Promise<void> {
    const { signal } = this.#end
    const place = this.#place
    const dir = privateDir(this.#scratch, scratchName('frozen'))
    try {
      const files: Entry['files'] = {}
      for (const path of paths) {
        const file = basename(path)
        const sha256 = await sparseDigest(path)
        files[file] = { size: (await stat(path)).size, sha256 }
        if (await this.#isThere(sha256, (within) => place.hasContent(sha256, within))) continue
        const packed = join(dir, file)
        await pack(path, packed, signal, options)
        const within = AbortSignal.any([signal, AbortSignal.timeout(patience.file)])
        await this.#send(() => place.putContent(sha256, packed, within), within)
        await rm(packed)
      }
      // The last: what is described is there.
      const described = join(dir, 'entry.json')
      const entry: Entry = { version: 1, files }
      await writeFile(described, JSON.stringify(entry, undefined, 2))
      const within = this.#answering(signal)
      await this.#send(() => place.putEntry(name, described, files, within), within)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  }

  #answering(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#answerMs)])
  }

  /**
   * Asks, but waits only as long as `within`, which nobody need hear: a server that is gone keeps whoever asks its file system.
   * A share that has not answered once is not asked again in this run, as each question would wait, unless it was `asker` who gave up.
   */
  async #ask<T>(question: () => Promise<T>, within: AbortSignal, asker: AbortSignal): Promise<T> {
    if (this.#down) throw new Error('it has not answered before')
    try {
      return await orAborted(question(), within)
    } catch (error) {
      if (asker.aborted) throw error
      this.#down = true
      throw within.aborted ? new Error('it does not answer', { cause: error }) : error
    }
  }

  /** One that has not taken something once may still have something. */
  async #send(what: () => Promise<void>, within: AbortSignal): Promise<void> {
    if (this.#refused) throw new Error('it has taken nothing before')
    try {
      await orAborted(what(), within)
    } catch (error) {
      this.#refused = true
      throw error
    }
  }
}
