/// <reference types="vitest/config" />
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Vite } from 'vitest/node'
import type { SourcePaths } from './ansible/sources.ts'
import { testFilesUsing, whenUsed } from './lab/used-files.ts'
import { type RaspiOptions, resolveOptions } from './options.ts'
import { timingsFilesOf } from './report/timings.ts'
import { evidenceDirOf, RaspiReporter } from './reporter.ts'
import { keptForMs, withKeepOf } from './vitest/keep.ts'
import { withoutOwnFrames } from './vitest/own-frames.ts'
import './vitest/provided.ts'
import { dealByTimings } from './vitest/sequencer.ts'

export type { RaspiOptions } from './options.ts'

/** Vitest's own defaults, which are no wish of the user's: https://vitest.dev/config/testtimeout */
const vitestTestTimeout = 5_000
const vitestHookTimeout = 10_000

/** A playbook on an emulated Pi takes minutes, and the first run builds an image before; our own deadlines are tighter. */
const testTimeout = 1_800_000

/** Vitest's own, 1 s and 50 ms, are over about when a Pi has answered for the first time. In ms. */
const poll = { timeout: 60_000, interval: 1_000 }

/** What starts the lab. */
const globalSetup = fileURLToPath(new URL('./vitest/global-setup.js', import.meta.url))

/** How a user may name the reporter: by the package, or by a path that was resolved. */
const reporterNames = /vitest-raspi\/(dist\/)?reporter(\.js)?$/

/**
 * The Vitest plugin: gives the project's tests their Pis. Throws a `RaspiError` that names each wrong option.
 * @example export default defineConfig({ plugins: [raspi({ image: 'debian-12-arm64' })] })
 */
export function raspi(options: RaspiOptions = {}): Vite.Plugin {
  const raspiOptions = withKeepOf(process.env, resolveOptions(options))
  return {
    name: 'vitest-raspi',
    config: () => ({
      test: {
        provide: { raspiOptions },
        watchTriggerPatterns: [{ pattern: /./, testsToRun: testsToRunAgain }],
      },
    }),
    configureVitest({ project, vitest }) {
      // Not above: that of the configuration around `test.projects` is not for its projects, which have the tests.
      project.config.globalSetup = [...new Set([project.config.globalSetup, globalSetup].flat())]
      const { root, reporters } = vitest.config
      project.provide('raspiEvidence', { evidenceDir: evidenceDirOf(root), root, project: project.name })
      // Once for all projects, and not beside the one that the user has named.
      const ours = reporters.some((reporter) =>
        Array.isArray(reporter) ? reporterNames.test(String(reporter[0])) : reporter instanceof RaspiReporter,
      )
      if (!ours) reporters.push(new RaspiReporter())
      dealByTimings(vitest, timingsFilesOf(vitest, evidenceDirOf(root)))
      if (vitest.config.watch) whenUsed((sources) => vitest.vite.watcher.add(outside(root, sources)))
      project.config.onStackTrace = withoutOwnFrames(project.config.onStackTrace)
      if (project.config.testTimeout === vitestTestTimeout) project.config.testTimeout = testTimeout
      project.config.expect = {
        ...project.config.expect,
        poll: { ...poll, ...project.config.expect?.poll },
      }
      // Vitest would end the process before the Pis' time is over.
      if (raspiOptions.keep !== 'none') vitest.config.teardownTimeout = keptForMs + 60_000
      if (project.config.hookTimeout === vitestHookTimeout) project.config.hookTimeout = testTimeout
    },
  }
}

/** In watch mode: the tests that have used what was changed. Others than ours are Vitest's to find. */
function testsToRunAgain(path: string): string[] | undefined {
  const testFiles = testFilesUsing(path)
  return testFiles.length > 0 ? testFiles : undefined
}

/** What Vite does not watch of its own accord. */
function outside(root: string, { files, dirs }: SourcePaths): string[] {
  return [...files, ...dirs].filter((path) => !path.startsWith(`${root}/`) && existsSync(path))
}
