import { createReadStream } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'

/** A Pi's serial console, as QEMU writes it into a file. */
export class ConsoleLog {
  readonly file: string

  constructor(file: string) {
    this.file = file
  }

  /** Everything so far, without the terminal's control sequences; empty where nothing was written yet. */
  async text(): Promise<string> {
    return clean(await readFile(this.file, 'utf8').catch(() => ''))
  }

  /** How many bytes it has so far. */
  async size(): Promise<number> {
    return (await stat(this.file).catch(() => undefined))?.size ?? 0
  }

  /** The last `count` lines that hold anything (default 40), of those from the byte `offset` on (default 0). */
  async tail(count = 40, { offset = 0 } = {}): Promise<string> {
    const bytes = Math.max(64, count) * 200
    const file = await open(this.file).catch(() => undefined)
    if (!file) return ''
    try {
      const { size } = await file.stat()
      const start = Math.max(offset, size - bytes)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - start)), 0, null, start)
      const lines = clean(buffer.toString('utf8', 0, bytesRead)).split('\n')
      return lines
        .filter((line) => line.trim())
        .slice(-count)
        .join('\n')
    } finally {
      await file.close()
    }
  }

  /**
   * Waits until the console shows one of `patterns` from the byte `offset` on (default 0), and gives its name. Looks
   * every `everyMs` (default 50), and reads only what is new. Rejects with the reason of `signal`.
   */
  async waitFor<Name extends string>(
    patterns: Record<Name, RegExp>,
    signal: AbortSignal,
    { offset = 0, everyMs = 50 }: { offset?: number; everyMs?: number } = {},
  ): Promise<Name> {
    let rest = Buffer.alloc(0)
    for (;;) {
      signal.throwIfAborted()
      for await (const chunk of readFrom(this.file, offset)) {
        offset += chunk.length
        rest = Buffer.concat([rest, chunk])
      }
      const text = clean(rest.toString('utf8'))
      for (const [name, pattern] of Object.entries(patterns) as [Name, RegExp][])
        if (pattern.test(text)) return name
      // A line that is not ended yet is looked at again.
      rest = rest.subarray(rest.lastIndexOf('\n') + 1)
      await delay(everyMs, undefined, { signal })
    }
  }
}

const clean = (text: string) => stripVTControlCharacters(text).replace(/\r+\n/g, '\n').replace(/\r/g, '\n')

async function* readFrom(file: string, start: number): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file, { start })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
