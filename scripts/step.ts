import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import { execa } from 'execa'

/** Where this repository is. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs a command of this repository, or of its dependencies, on this very terminal, and tells whether it succeeded.
 * Its output follows a heading and the command itself.
 */
export async function step(
  title: string,
  [file, ...args]: [string, ...string[]],
  cwd: string = root,
): Promise<boolean> {
  console.log(`\n${styleText('bold', title)}\n${styleText('dim', `$ ${[file, ...args].join(' ')}`)}`)
  const { failed, shortMessage, exitCode } = await execa(file, args, {
    cwd,
    stdio: 'inherit',
    reject: false,
    preferLocal: true,
    localDir: root,
  })
  if (failed && exitCode === undefined) console.error(shortMessage)
  return !failed
}

/**
 * Leaves it to the commands what an interruption from the keyboard ends: they get it too, and whoever ends before them
 * lets the shell's prompt come back in the middle of their clearing up.
 */
export function waitForSteps(): void {
  process.on('SIGINT', () => {})
}
