import { expect, test } from 'vitest'
import type { PlaybookOptions } from '../../../src/ansible/arguments.ts'
import { RaspiError } from '../../../src/errors.ts'
import { assertEvery, convergeThroughPowerCuts } from '../../../src/vitest/power-cuts.ts'
import { aRun, started } from '../ansible/runs.ts'

const unreachable = new RaspiError('ansible', 'pi could not be reached')
const [, , task] = started()

/** A Pi, and a playbook of `tasks` that go well as long as the Pi has power. */
function aPlaybook(tasks: number, told: string[]) {
  let on = true
  const power = {
    cut: async () => {
      told.push('cut')
      on = false
    },
    on: async () => {
      told.push('on')
      on = true
    },
  }
  const run = async ({ onEvent }: Pick<PlaybookOptions, 'onEvent'>) => {
    for (let number = 1; number <= tasks; number++) {
      told.push(String(number))
      if (task) onEvent?.(task)
      await new Promise((resolve) => setTimeout(resolve, 5))
      if (!on) throw unreachable
    }
    return aRun()
  }
  return { pis: [{ power }], run, intoTaskMs: 0 }
}

test('power is cut in each n-th task, one more in each run, until none is left', async () => {
  const told: string[] = []
  const { run, cuts } = await convergeThroughPowerCuts({ ...aPlaybook(5, told), every: 2 })
  expect(told.join(' ')).toBe('1 2 cut on 1 2 3 4 cut on 1 2 3 4 5')
  expect({ ok: run.ok, cuts }).toEqual({ ok: true, cuts: 2 })
})

test('a task that fails by itself ends it', async () => {
  const told: string[] = []
  const { pis, run, intoTaskMs } = aPlaybook(2, told)
  const failing: typeof run = async (options) => {
    await run(options)
    return aRun({ exitCode: 2 })
  }
  const ended = await convergeThroughPowerCuts({ pis, run: failing, every: 3, intoTaskMs })
  expect({ ok: ended.run.ok, cuts: ended.cuts }).toEqual({ ok: false, cuts: 0 })
})

test('what is not the doing of a cut is thrown', async () => {
  const { pis, intoTaskMs } = aPlaybook(2, [])
  const lost = async () => Promise.reject(unreachable)
  await expect(convergeThroughPowerCuts({ pis, run: lost, every: 1, intoTaskMs })).rejects.toBe(unreachable)
  const stopped = new RaspiError('cancelled', 'site.yml was stopped')
  const run = async ({ onEvent }: Pick<PlaybookOptions, 'onEvent'>) => {
    if (task) onEvent?.(task)
    throw stopped
  }
  await expect(convergeThroughPowerCuts({ pis, run, every: 1, intoTaskMs })).rejects.toBe(stopped)
})

test.for([0, -1, 1.5, Number.NaN])('powerCuts: %s is refused', (every) => {
  expect(() => assertEvery(every)).toThrow(
    `powerCuts is a number of tasks, from 1 on, and ${every} is none.\n  powerCuts: 3 cuts`,
  )
})
