import type { Command } from 'commander'
import { RaspiError } from '../errors.ts'
import { defaultCacheDir } from '../host/paths.ts'
import { elapsed } from '../host/progress.ts'
import { lockFileIn } from '../image/lock-file.ts'
import { publishFrozen } from '../lab/publish-frozen.ts'
import { optionsSchema } from '../options.ts'
import { interruptible } from './interrupt.ts'
import { type CommandContext, cacheDirOption, json } from './output.ts'
import { addProjectFlags, fromProject, orElse } from './project/from-project.ts'
import type { ProjectFlags } from './project/projects.ts'
import { usual } from './project/settings.ts'

const examples = `
Examples:
  vitest-raspi freeze --to pis:bookworm                     into the local Docker engine
  vitest-raspi freeze --to registry.example/pis:1 --push    for everybody who can reach the registry

Tests start from there with raspi({ engine: { docker: true, frozen: 'registry.example/pis:1' } }): nothing is built, and no Pi
boots. Whoever has the image can log in to Pis of theirs only: a thawed Pi takes the key of the cache that it is thawed by.`

interface FreezeOptions extends ProjectFlags {
  to: string
  push?: boolean
  image?: string
  board?: string
  engine?: string
  engineImage?: string
  cacheDir?: string
  json?: boolean
}

/** Adds `freeze`, which makes a frozen Pi a container image. */
export function addFreeze(program: Command, { output, env, cwd }: CommandContext): void {
  const command = program
    .command('freeze')
    .description('keep a frozen Pi as a container image, for other machines to start from')
    .requiredOption('--to <image>', 'the name of the container image, with or without a tag')
    .option('--push', 'push it to its registry')
    .option('--image <name>', `the image that the Pi boots ${orElse(usual.image)}`)
    .option('--board <name>', `its board ${orElse(usual.board)}`)
    .option(
      '--engine <address>',
      `an address or a context of Docker's ${orElse("that of Docker's own programs")}`,
    )
    .option('--engine-image <name>', `the container image that the Pi runs in ${orElse('one that is built')}`)
    .addOption(cacheDirOption('where images and keys are kept', orElse))
  addProjectFlags(command)
    .option('--json', 'print JSON: { name, id }')
    .addHelpText('after', examples)
    .action(async ({ to, push, ...options }: FreezeOptions) => {
      const taken = await fromProject(
        options,
        ['image', 'board', 'engine', 'engineImage', 'cacheDir', 'lockDir'],
        { cwd, env, log: output.err },
      )
      const {
        image,
        board,
        engine: address,
        engineImage,
        cacheDir = defaultCacheDir(env),
      } = { ...options, ...taken }
      const { data, error } = optionsSchema.pick({ image: true, board: true }).safeParse({ image, board })
      if (!data) throw new RaspiError('options', error.issues.map(({ message }) => message).join(' '))
      const lockFile = lockFileIn(taken.lockDir ?? cwd)
      const started = performance.now()
      const made = await interruptible(
        (signal) =>
          publishFrozen(
            { ...data, to, push, address, engineImage, cacheDir, lockFile },
            { log: output.err, signal },
          ),
        new RaspiError('cancelled', `Interrupted: ${to} was not ${push ? 'pushed' : 'made'}.`),
      )
      if (options.json) return output.out(json(made))
      output.out(`${to} has the frozen Pi${push ? ', and so has its registry' : ''} (${elapsed(started)}).`)
    })
}
