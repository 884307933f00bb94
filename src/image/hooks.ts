import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quote } from '../host/quote.ts'
import type { GuestFile } from './recipe.ts'

/** A part of a hook that runs outside the guest, with the guest's root as `$1`. */
export interface OutsideScript {
  outside: string
}

/**
 * Writes its stdin to the file `$2` of the guest, with the mode `$1`. The guest's own shell runs it: from outside, an
 * absolute link in the guest leads to the host.
 */
const writeFileInside = 'mkdir -p "$(dirname "$2")"; rm -f "$2"; cat > "$2"; chmod "$1" "$2"'

/** Writes `files` below `dir` and gives the script that installs them, owned by root, into a guest. */
export async function stageFiles(dir: string, files: GuestFile[]): Promise<OutsideScript> {
  await mkdir(dir)
  const commands = await Promise.all(
    files.map(async ({ path, mode = '0644', text }, index) => {
      const staged = join(dir, String(index))
      await writeFile(staged, text, { mode: 0o600 })
      return `chroot "$1" sh -ec ${quote(writeFileInside)} sh ${mode} ${quote(path)} < ${quote(staged)}\n`
    }),
  )
  return { outside: commands.join('') }
}

/** The text of a hook of mmdebstrap's. Parts that are a string run in the guest, as root, by its own shell. */
export function hookScript(...parts: (string | OutsideScript)[]): string {
  const bodies = parts.map((part) =>
    typeof part === 'string' ? `chroot "$1" sh -ec ${quote(part)}\n` : part.outside,
  )
  return `#!/bin/sh\nset -e\n${bodies.join('')}`
}
