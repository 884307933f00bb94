import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onDocker, stopQemu, unfrozen } from '../support/engine.ts'
import { entriesOf, makeCache, Project } from '../support/project.ts'
import type { VitestRun } from '../support/vitest-run.ts'

// What a user's Ctrl-C, a CI's SIGTERM, a closed terminal and the kernel's OOM killer leave behind: nothing.

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const
/** How long after the signal the last process of ours may live, in ms. */
const graceMs = 3_000

const files = {
  'quick.test.ts': `
import { expect, test } from 'vitest-raspi'
test('a Pi', async ({ pi }) => {
  expect((await pi.run('uname -m')).stdout).toBe('aarch64\\n')
})`,
  'playbook.test.ts': `
import { test } from 'vitest-raspi'
test('a playbook', ({ ansible }) => ansible.playbook('slow.yml'))`,
  // A QEMU that stands still makes the lab wait for its end, which else takes milliseconds.
  'teardown.test.ts': `
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'vitest-raspi'
test('a Pi whose QEMU does not end by itself', ({ pi }) => {
  ${stopQemu}
  writeFileSync('stopped', '')
})`,
  'slow.yml': `
- hosts: all
  gather_facts: false
  tasks:
    - name: Wait a little
      ansible.builtin.command: sleep 2
    - name: Wait for long
      ansible.builtin.command: sleep 600
`,
}

const project = new Project({ files })

interface Phase {
  file: string
  /** The project, where it is another one. */
  of?: Project
  /** What it is about to make, and the cache of its own that this would come into. */
  makes?: { kind: 'images' | 'frozen'; cache: string }
  /** Waits until the run is in the middle of it. */
  reached(run: VitestRun): Promise<unknown>
}

const phases: Record<string, Phase> = {
  'while an image is built': {
    file: 'quick',
    makes: { kind: 'images', cache: makeCache(join(project.root, 'c1')) },
    reached: (run) => run.starts(/dpkg .*--(install|unpack|configure)/, 120_000),
  },
  'while a Pi boots': {
    file: 'quick',
    // A Docker engine has frozen Pis of its own: there it is one of another board.
    ...(onDocker
      ? { of: new Project({ files, options: unfrozen(600) }) }
      : { makes: { kind: 'frozen', cache: makeCache(join(project.root, 'c2'), 'images') } }),
    reached: async (run) => {
      await run.startsQemu(30_000)
      await delay(2_000)
    },
  },
  'in a playbook': {
    file: 'playbook',
    reached: (run) => run.says(/TASK \[Wait for long\]/, 120_000),
  },
  'in the teardown': {
    file: 'teardown',
    reached: async (run) => {
      const stopped = join(project.dir, 'stopped')
      rmSync(stopped, { force: true })
      await run.until(() => existsSync(stopped), 'the end of the test', 60_000)
      await delay(200)
    },
  },
}

// What follows needs an image and a frozen Pi, and shows that the seeded project is right.
beforeAll(async () => {
  const { code, output } = await project.vitest(['quick']).finished(1_200_000)
  expect(output).toContain('1 passed')
  expect(code).toBe(0)
}, 1_200_000)

afterAll(() => {
  for (const { of } of Object.values(phases)) of?.[Symbol.dispose]()
  project[Symbol.dispose]()
})

describe.for(Object.entries(phases))('%s', ([, { file, of = project, makes, reached }]) => {
  const env = makes ? { VITEST_RASPI_CACHE: makes.cache } : {}

  test.for(signals)('nothing of ours outlives %s by three seconds', { timeout: 180_000 }, async (signal) => {
    const run = of.vitest([file], env)
    await reached(run)
    expect(await run.interrupt(signal, graceMs), run.output).toEqual([])
    await run.finished(1_000)
  })

  test('the next run works and has swept the rest', { timeout: 300_000 }, async () => {
    if (makes) {
      expect(entriesOf(makes.cache, makes.kind)).toEqual([])
      // What takes minutes is not made again here.
      makeCache(
        makes.cache,
        ...(makes.kind === 'images' ? (['images', 'frozen'] as const) : (['frozen'] as const)),
      )
    }
    const { code, output } = await of.vitest(['quick'], env).finished(240_000)
    expect(output).toMatch(/Cleared what \d+ interrupted runs? left behind/)
    expect(output).toContain('1 passed')
    expect(code).toBe(0)
    expect(of.leftovers()).toEqual([])
    if (makes) expect(readdirSync(join(makes.cache, 'tmp'))).toEqual([])
  })
})
