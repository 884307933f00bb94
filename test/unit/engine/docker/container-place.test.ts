import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type Dockerode from 'dockerode'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { ContainerPlace, inside } from '../../../../src/engine/docker/container-place.ts'
import { scratchDir } from '../../../support/scratch-dir.ts'

afterEach(() => void vi.useRealTimers())

/**
 * A place whose container is a directory of this host, with a QEMU that goes on until it is killed. Its processes run so many
 * ms after the engine has told of their start.
 */
function placeHere(...startMs: number[]): ContainerPlace {
  const dir = scratchDir()
  const qemu = join(dir, 'qemu-system-aarch64')
  writeFileSync(qemu, '#!/bin/sh\nexec sleep 60\n')
  chmodSync(qemu, 0o755)
  const container = {
    modem: { demuxStream: () => {} },
    exec: async ({ Cmd }: { Cmd: string[] }) => {
      let exitCode: number | undefined
      const connection = new Duplex({ read() {}, write: (_, __, done) => done(), autoDestroy: false })
      void delay(startMs.shift(), undefined, { ref: false }).then(async () => {
        const [file = '', ...args] = Cmd.map((word) => word.replaceAll(inside.pi, dir))
        const child = spawn(file, args, {
          stdio: 'ignore',
          env: { ...process.env, PATH: `${dir}:${process.env.PATH}` },
        })
        onTestFinished(() => void child.kill('SIGKILL'))
        const [code, signal] = await once(child, 'close')
        exitCode = signal === 'SIGKILL' ? 137 : code
        connection.destroy()
      })
      return {
        start: async () => connection,
        inspect: async () => ({ Running: exitCode === undefined, ExitCode: exitCode }),
      }
    },
  } as unknown as Dockerode.Container
  const own = { container, end: async () => {} }
  const client = { name: 'the Docker engine X', cores: 2 }
  return new ContainerPlace(own, dir, '10.0.3', client, new AbortController().signal)
}

test('a QEMU that is killed before it runs is killed as soon as it does, one that was started again too', async () => {
  const place = placeHere(200, 0, 200, 0)
  for (let start = 0; start < 2; start++) {
    const qemu = await place.startQemu([], 'normal')
    qemu.kill()
    expect(await qemu.exited).toEqual({ signal: 'SIGKILL' })
  }
})

test('of one that an engine tells nothing of, its end is taken for granted after a while', async () => {
  const place = placeHere(1e6, 1e6)
  const qemu = await place.startQemu([], 'normal')
  vi.useFakeTimers()
  qemu.kill()
  await vi.advanceTimersByTimeAsync(20_000)
  expect(await qemu.exited).toEqual({ why: 'The container of the Pi on the Docker engine X is gone' })
})
