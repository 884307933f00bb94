import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Lab } from '../../src/lab/lab.ts'
import { resolveOptions } from '../../src/options.ts'

// A guest that stands still cannot be had at will; one whose QEMU is stopped does the same.

test('a Pi that stands still after its thaw gives way to another copy', { timeout: 300_000 }, async () => {
  const lines: string[] = []
  await using lab = new ClosedLab(resolveOptions({ readyPis: 0, bootTimeout: 100_000 }), (line) =>
    lines.push(line),
  )
  const { options, runDir } = lab
  const request = {
    ...{ holder: 'test', pis: [{ name: 'pi' }], image: options.image, board: options.board },
  }
  const leasing = lab.lease(request, new AbortController().signal, () => {})
  const processes = join(runDir.path, 'processes')
  const running = () => (existsSync(processes) ? readdirSync(processes).map(Number) : [])
  await expect
    .poll(() => existsSync(join(runDir.path, '1/known_hosts')) && running().length, {
      timeout: 120_000,
      interval: 50,
    })
    .toBe(1)
  const [first = 0] = running()
  process.kill(first, 'SIGSTOP')

  const { pis } = await leasing
  expect(lines).toContain('Pi pi-1 stands still after its thaw, so another copy is thawed in its place')
  expect(pis[0]?.origin).toBe('thawed')
  expect(() => process.kill(first, 0)).toThrow()
})

class ClosedLab extends Lab implements AsyncDisposable {
  async [Symbol.asyncDispose]() {
    await this.close()
  }
}
