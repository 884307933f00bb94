import type { Command } from 'commander'
import type { HostContext } from '../../host/context.ts'
import type { Output } from '../output.ts'
import { addBuild } from './build.ts'
import { addInspect } from './inspect.ts'
import { addLs } from './ls.ts'
import { addPrune } from './prune.ts'
import { addPull } from './pull.ts'
import { addRm } from './rm.ts'
import { addVerify } from './verify.ts'

/** What every command about images gets. */
export interface ImageCommand {
  /** The cache that is the host's, where the command line names no other. */
  context: HostContext
  output: Output
  setExitCode: (code: number) => void
}

/** The options that every command about images has. */
export interface ImageOptions {
  cacheDir?: string
  json?: boolean
}

const examples = `
Examples:
  vitest-raspi image ls                              what the cache has, and what uses it
  vitest-raspi image pull raspios-lite-arm64         download the newest, and pin it
  vitest-raspi image pull --update                   pin what is the newest now
  vitest-raspi image inspect debian-12-arm64         partitions, kernels, config.txt
  vitest-raspi image prune --older-than 0            all that no lock file names`

/** Adds `image` with its commands to `program`. */
export function addImage(program: Command, command: ImageCommand): void {
  const image = program
    .command('image')
    .description('manage the images that Pis boot')
    .addHelpText('after', examples)
  for (const add of [addLs, addPull, addBuild, addInspect, addRm, addPrune, addVerify]) add(image, command)
}
