import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { type FreezeSubject, freeze } from '../../../src/freeze/freeze.ts'
import { boardOf } from '../../../src/machine/boards.ts'
import { ServiceShell } from '../../../src/machine/service-shell.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { aPlace } from '../machine/fake-place.ts'

vi.mock('../../../src/machine/card.ts', () => ({
  readBootPart: async (_place: unknown, _card: unknown, file: string) => {
    writeFileSync(file, '')
    return file
  },
}))
vi.mock('../../../src/firmware/boot-plan.ts', () => ({
  readBootPlan: async () => ({ kernel: 'kernel8.img', commandLine: 'console=ttyAMA0', notEmulated: [] }),
}))
vi.mock('../../../src/freeze/pause.ts', () => ({ pauseBetweenInterrupts: async () => {} }))
vi.mock('../../../src/freeze/migrate.ts', () => ({ migrateOut: async () => {} }))

const panic = '[   12.3] Kernel panic - not syncing: Attempted to kill init!\n'
let dir: string

beforeEach(() => {
  dir = scratchDir()
  mkdirSync(join(dir, 'log'))
  writeFileSync(join(dir, 'console.log'), `Linux boots\n${panic}Linux boots again\n`)
})

/** Freezes a Pi whose service shell answers after `boot`. */
function frozenAfter(boot: () => Promise<void>) {
  const shell = {
    run: async () => ({ output: 'running', status: 0 }),
    ...{ detach: async () => {}, close() {} },
  }
  vi.spyOn(ServiceShell, 'open').mockImplementation(async () => {
    await boot()
    return shell as Partial<ServiceShell> as ServiceShell
  })
  const { place } = aPlace(dir)
  const subject = { image: { name: 'debian', user: 'pi' }, board: boardOf('virt') } as FreezeSubject
  const context = { dir, place, bootTimeout: 10_000, log: () => {}, signal: new AbortController().signal }
  return freeze(subject, context)
}

test('a panic of an earlier boot on the same console is none of this one', async () => {
  // Whoever looks for a panic has looked by then.
  const boot = () => new Promise<void>((resolve) => setTimeout(resolve, 300))
  await expect(frozenAfter(boot)).resolves.toMatchObject({ notEmulated: [] })
})

test('a panic of this boot is one, and the end of this console is shown', async () => {
  const boot = () => {
    appendFileSync(join(dir, 'console.log'), panic.replace('init', 'it'))
    return new Promise<void>(() => {})
  }
  const error = await frozenAfter(boot).catch((reason: unknown) => String(reason))
  expect(error).toContain('The Pi failed to boot')
  expect(error).toContain('Attempted to kill it!')
  expect(error).not.toContain('Attempted to kill init!')
})
