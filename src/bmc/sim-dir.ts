import { chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { getuid } from 'node:process'
import { privateDir } from '../host/paths.ts'

/** The user and the group that own nothing, by the number that both have on Linux. */
export const nobody = 65_534

/** A directory of a BMC's own, with secrets in it: for the user that ipmi_sim runs as, and no other. */
export class SimDir {
  readonly path: string
  /** Whether ipmi_sim runs as nobody: where we are root, and the host has that user for us. */
  readonly isNobodys: boolean

  /** Makes it. Throws where there is such a path already: what is removed at the end has to be ours. */
  constructor(path: string) {
    privateDir(dirname(path))
    mkdirSync(path, { mode: 0o700 })
    this.path = path
    this.isNobodys = getuid?.() === 0 && isGiven(path)
  }

  /** Gives a file of ours in it to ipmi_sim. */
  give(path: string): void {
    if (this.isNobodys) chownSync(path, nobody, nobody)
  }

  /** Writes a file as a whole: who reads it at the same time has all of the old or all of the new one. */
  write(file: string, text: string): void {
    const path = join(this.path, file)
    writeFileSync(`${path}.new`, text, { mode: 0o600 })
    this.give(`${path}.new`)
    renameSync(`${path}.new`, path)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Root within a user namespace may have no nobody, and root of a container may give nothing away. */
function isGiven(path: string): boolean {
  try {
    chownSync(path, nobody, nobody)
    return true
  } catch {
    return false
  }
}
