import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import { openAnswer, openChannel } from '../../../src/lab/channel.ts'
import type { Lab } from '../../../src/lab/lab.ts'
import type { LabFunctions, WorkerFunctions } from '../../../src/lab/protocol.ts'
import { type ServeOptions, serveLab } from '../../../src/lab/server.ts'
import { unhandledRejections } from '../../support/unhandled.ts'
import { aPi, labOf, requestOf } from './fake-pis.ts'

/** A worker of `lab`, with what ends it, once the lab has seen that. */
async function workerOf(lab: Lab, options?: ServeOptions) {
  const { path, server } = await serveLab(lab, options)
  onTestFinished(() => void server.close())
  const socket = connect(path)
  const [there] = (await once(server, 'connection')) as [Socket]
  const channel = openChannel<LabFunctions, WorkerFunctions>(socket, { lost: () => {} })
  const end = async () => {
    const seen = once(there, 'close')
    socket.destroy()
    await seen
  }
  onTestFinished(() => void socket.destroy())
  return { channel, end }
}

test('a kept Pi that is lost once its worker has ended is told to nobody', async () => {
  const pi = aPi(1)
  const keeper = { keep: async () => ['pi-1'] }
  const { channel, end } = await workerOf(labOf([pi]), { keeper })
  const { id } = openAnswer(await channel.lease(requestOf(1)))
  expect(openAnswer(await channel.keep(id, 'kept'))).toEqual(['pi-1'])
  await end()
  const rejected = unhandledRejections()
  pi.lose(new RaspiError('boot', 'Pi pi-1 is lost: QEMU was killed by SIGKILL'))
  await turn()
  await turn()
  expect(rejected).toEqual([])
})
