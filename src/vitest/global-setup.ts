import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { lockFileName } from '../image/lock-file.ts'
import { Lab } from '../lab/lab.ts'
import { serveLab } from '../lab/server.ts'
import { preparer } from '../prepare/prepare.ts'
import { baseDirOf } from './base-dir.ts'
import { CutShortEvidence } from './cut-short.ts'
import { TestKeeper } from './keep.ts'
import { replacedVariables } from './own-variables.ts'
import { Pauses } from './pause.ts'
import './provided.ts'
import { failureReport } from './run-report.ts'

/**
 * Starts the lab in Vitest's main process: only there does anything survive a worker's end. It starts no Pi until a
 * test asks for one. Gives the teardown.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { raspiOptions: options, raspiEvidence } = project.getProvidedContext()
  const log = (line: string) => project.vitest.logger.log(`[raspi] ${line}`)
  const prepare = preparer({
    projectDir: project.config.root,
    timeoutMs: options.playbookTimeout,
    describeFailure: ({ failed }) => failureReport(failed),
  })
  const baseDir = baseDirOf(project)
  const lab = new Lab(options, log, prepare, {
    ...{ baseDir, lockFile: join(baseDir, lockFileName), projectDir: project.config.root },
  })
  const keeper = options.keep === 'none' ? undefined : new TestKeeper(lab, log)
  const pauses = new Pauses({ keyboard: process.stdin, env: process.env, log })
  const cutShort = new CutShortEvidence(raspiEvidence.evidenceDir, log)
  cutShort.clear()
  const { path, server, borrowed } = await serveLab(lab, {
    keeper,
    pauser: (pi, wish) => pauses.pause(pi, wish),
    orphan: (lease) => cutShort.keep('A test worker has ended in the middle of', lease),
  })

  // `vitest run` ends on SIGINT and SIGTERM by process.exit(), without any teardown; on SIGHUP it just dies.
  const kill = () => {
    for (const lease of borrowed()) cutShort.keep('The run was interrupted in', lease)
    lab.kill()
  }
  const hangUp = () => process.exit(129)
  process.on('exit', kill)
  process.on('SIGHUP', hangUp)

  project.onTestsRerun(() => lab.lookAnew())
  project.provide('raspiLab', {
    socket: path,
    projectDir: project.config.root,
    runDir: lab.workDir,
    replaced: replacedVariables(project.vite.config.env, project.config.env, process.env),
  })
  return async () => {
    server.close()
    await keeper?.hold()
    await lab.close()
    process.off('exit', kill)
    process.off('SIGHUP', hangUp)
  }
}
