import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Lab } from '../../src/lab/lab.ts'
import { resolveOptions } from '../../src/options.ts'

// A guest that stands still cannot be had at will; one whose QEMU is stopped does the same.

test('a Pi that stands still after its thaw gives way to another copy', { timeout: 300_000 }, async () => {
  const lines: string[] = []
  await using lab = new ClosedLab(resolveOptions({ readyPis: 0, bootTimeout: 200_000 }), (line) =>
    lines.push(line),
  )
  const { options, runDir } = lab
  const request = {
    ...{ holder: 'test', pis: [{ name: 'pi' }], image: options.image, board: options.board },
  }
  const leasing = lab.lease(request, new AbortController().signal, () => {})
  // What it says of its NIC is the first word of its life.
  const console = join(runDir.path, '1/console.log')
  const said = () => (existsSync(console) ? readFileSync(console, 'utf8') : '')
  await expect.poll(said, { timeout: 120_000, interval: 50 }).toContain('usb')
  const [first = 0] = readdirSync(join(runDir.path, 'processes')).map(Number)
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
