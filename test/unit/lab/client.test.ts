import { expect, onTestFinished, test } from 'vitest'
import { RaspiError } from '../../../src/errors.ts'
import { connectLab } from '../../../src/lab/client.ts'
import { serveLab } from '../../../src/lab/server.ts'
import { aPi, labOf, requestOf } from './fake-pis.ts'

test('why a Pi could not be kept is told, and it is given back', async () => {
  const said: string[] = []
  const lab = labOf([aPi(1)], { log: (line) => void said.push(line) })
  const refusal = new RaspiError('lab', 'The list of labs is not used.', { hint: 'Remove it.' })
  const { path, server } = await serveLab(lab, { keeper: { keep: () => Promise.reject(refusal) } })
  onTestFinished(() => void server.close())
  const client = await connectLab(path)
  const { id } = await client.lease(requestOf(1))
  await client.keep(id, 'kept after the failure of "a test"')
  expect(said).toContain(
    'No Pi is kept after the failure of "a test": The list of labs is not used.\n  Remove it.',
  )
  expect(lab.held).toEqual([])
})
