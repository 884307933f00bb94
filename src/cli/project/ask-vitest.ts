// Asks a project's Vitest for the options of each raspi() in its configuration, in a process of its own: a configuration may
// print, change the environment, leave something running, or end the process. Takes the paths of vitest/node, of the
// project and of the configuration; sends an `AnswerMessage`.
import { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../../errors.ts'
import { baseDirOf } from '../../vitest/base-dir.ts'
import '../../vitest/provided.ts'
import type { AnswerMessage, SaidProject, VitestAnswer } from './projects.ts'

/** How long Vitest may take to close what plugins have opened, in ms. */
const closeMs = 5_000

const [api = '', root = '', config = ''] = process.argv.slice(2)

// Who has asked is gone, and nobody else would end it. That does not keep a process alive that is at its end.
process.on('disconnect', () => process.exit())
process.channel?.unref()

async function ask(): Promise<VitestAnswer> {
  const { createVitest } = (await import(pathToFileURL(api).href)) as typeof import('vitest/node')
  // As configurations find it under `vitest run`.
  Object.assign(process.env, { TEST: 'true', VITEST: 'true' })
  process.env.NODE_ENV ??= 'test'
  const nowhere = () => new Writable({ write: (_, __, done) => done() })
  const vitest = await createVitest(
    'test',
    { root, config, watch: false, reporters: [] },
    { logLevel: 'silent' },
    { stdout: nowhere(), stderr: nowhere() },
  )
  const projects = vitest.projects.flatMap((project): SaidProject[] => {
    const { raspiOptions, raspiEvidence } = project.getProvidedContext()
    // A project that has no raspi() of its own is told what the configuration around it provides.
    if (raspiEvidence?.project !== project.name) return []
    const { image, board, engine, cacheDir, maxPis, share } = raspiOptions
    return [
      { name: project.name, baseDir: baseDirOf(project), image, board, engine, cacheDir, maxPis, share },
    ]
  })
  await Promise.race([vitest.close(), delay(closeMs)])
  return { projects }
}

const answer = await ask().catch((error): VitestAnswer => ({ failed: messageOf(error) }))
process.send?.({ 'vitest-raspi': answer } satisfies AnswerMessage, () => process.exit())
