import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { messageOf } from '../errors.ts'
import type { Log } from '../host/progress.ts'
import { shownPath } from '../host/shown-path.ts'
import type { LentPi } from '../lab/protocol.ts'
import { slug } from '../report/evidence-dir.ts'
import { maskSecrets, secretsOf } from '../report/mask.ts'
import { cutText } from '../report/text.ts'
import { qemuLogOf } from '../report/timeline.ts'

/** Whoever has Pis and can say nothing more of them. */
export interface CutShort {
  /** The test, or the test file, as people know it. */
  holder: string
  pis: readonly LentPi[]
}

/** The directories that this process has cleared. */
const cleared = new Set<string>()

/** How much is kept of a text, in characters. */
const most = 256 * 1024

/**
 * Keeps what is left of tests that cannot tell it themselves, because their worker or the whole run has ended under them:
 * the consoles of their Pis and what QEMU said, below `interrupted` in `evidenceDir`. Says so in a line each. Synchronous,
 * for the moment in which a process ends; never throws.
 */
export class CutShortEvidence {
  readonly #dir: string
  readonly #log: Log

  constructor(evidenceDir: string, log: Log) {
    this.#dir = join(evidenceDir, 'interrupted')
    this.#log = log
  }

  /** Clears what a run before this one has left: once, for another project's tests may have been cut short meanwhile. */
  clear(): void {
    if (cleared.has(this.#dir)) return
    cleared.add(this.#dir)
    rmSync(this.#dir, { recursive: true, force: true })
  }

  /** `why` is how the sentence begins: `The run was interrupted in`. */
  keep(why: string, { holder, pis }: CutShort): void {
    const dir = unused(join(this.#dir, slug(holder)))
    const whose = pis.length === 1 ? 'its Pi is ended' : `its ${pis.length} Pis are ended`
    try {
      mkdirSync(dir, { recursive: true })
      writeFileSync(join(this.#dir, '..', '.gitignore'), '*\n')
      for (const pi of pis) {
        const texts = { 'console.log': textOf(pi.consoleFile), 'qemu.log': textOf(qemuLogOf(pi)) }
        for (const [name, text] of Object.entries(texts))
          if (text) writeFileSync(join(dir, `${slug(pi.name)}.${name}`), text)
      }
      this.#log(`${why} "${holder}", and ${whose}. Evidence: ${shownPath(dir, process.cwd())}`)
    } catch (error) {
      this.#log(`${why} "${holder}", and ${whose}. No evidence could be kept: ${messageOf(error)}`)
    }
  }
}

/** `dir`, or with a number after it: tests of several files may have the same name. */
function unused(dir: string): string {
  for (let found = dir, number = 2; ; found = `${dir}-${number++}`) if (!existsSync(found)) return found
}

function textOf(file: string): string {
  try {
    const text = stripVTControlCharacters(readFileSync(file, 'utf8')).replaceAll('\r', '')
    return cutText(maskSecrets(text, secretsOf(process.env)), most)
  } catch {
    // It has none yet.
    return ''
  }
}
