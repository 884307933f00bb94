import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { livingRuns } from '../host/run-dir.ts'
import { frozenFiles } from './store.ts'

/**
 * The id of what the card `file` is a change to, a frozen Pi or an image, as the path of its backing file has it. That is
 * within the qcow2 file's first cluster, of at most 64 KiB: https://www.qemu.org/docs/master/interop/qcow2.html
 */
export async function cardBelow(file: string): Promise<string | undefined> {
  let card: FileHandle | undefined
  try {
    card = await open(file)
    const { buffer, bytesRead } = await card.read(Buffer.alloc(65_536), 0, 65_536, 0)
    return /([0-9a-f]{64})\/card\./.exec(buffer.toString('latin1', 0, bytesRead))?.[1]
  } catch {
    return undefined
  } finally {
    await card?.close()
  }
}

/**
 * The ids of what the cards of all runs that live are changes to. Of a Pi that has booted, or is off, no process names
 * it: only its card does, or that of a checkpoint below its directory.
 */
export async function cardsBelowRuns(): Promise<Set<string>> {
  const runs = livingRuns().map(async (dir) => {
    const files = await readdir(dir, { recursive: true }).catch(() => [])
    const cards = files.filter((file) => file.endsWith(`/${frozenFiles.card}`))
    return Promise.all(cards.map((card) => cardBelow(join(dir, card))))
  })
  return new Set((await Promise.all(runs)).flat(2).filter((id) => id !== undefined))
}
