import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { startBmc } from '../../../src/bmc/bmc.ts'
import { scratchDir } from '../../support/scratch-dir.ts'
import { FakeChassis } from './fake-chassis.ts'

test("without ipmi_sim nothing is started, and the doctor's line says how to get it", async () => {
  const dir = join(scratchDir(), 'bmc')
  vi.stubEnv('PATH', scratchDir())
  const error = await startBmc({ name: 'pi', dir, chassis: new FakeChassis() }).catch((thrown) => thrown)
  vi.unstubAllEnvs()
  expect(error).toMatchObject({ name: 'RaspiError', kind: 'host' })
  expect(error.message).toMatch(
    /lacks what it needs: ipmi_sim\.\n.*doctor --for bmc --fix.*\nmissing {2}ipmi_sim /,
  )
  expect(existsSync(dir)).toBe(false)
})

test('what ipmi_sim says where it does not start is told, and nothing is left', async () => {
  const programs = scratchDir()
  const script = '#!/bin/sh\necho "Error on line 3: Invalid configuration option" >&2\nexit 1\n'
  writeFileSync(join(programs, 'ipmi_sim'), script)
  // For nobody, too, whatever the umask.
  for (const path of [programs, join(programs, 'ipmi_sim')]) chmodSync(path, 0o755)
  vi.stubEnv('PATH', [programs, process.env.PATH].join(delimiter))
  const dir = join(scratchDir(), 'bmc')
  const error = await startBmc({ name: 'pi', dir, chassis: new FakeChassis() }).catch((thrown) => thrown)
  vi.unstubAllEnvs()
  expect(error).toMatchObject({ name: 'RaspiError', kind: 'lab' })
  expect(error.message).toBe(
    'ipmi_sim ended as soon as it was started: Error on line 3: Invalid configuration option',
  )
  expect(existsSync(dir)).toBe(false)
})
