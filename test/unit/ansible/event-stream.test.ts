import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { readEvents } from '../../../src/ansible/event-stream.ts'
import type { AnsibleEvent } from '../../../src/ansible/events.ts'

async function read(...chunks: string[]): Promise<AnsibleEvent[]> {
  const events: AnsibleEvent[] = []
  await readEvents(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), (event) => events.push(event))
  return events
}

test('events are put together across chunks', async () => {
  expect(await read('{"event":"no_ho', 'sts","at":1}\n{"event":"no_hosts","at":2}\n')).toEqual([
    { event: 'no_hosts', at: 1 },
    { event: 'no_hosts', at: 2 },
  ])
})

test('an event that was cut off by the end of Ansible is left out', async () => {
  expect(await read('{"event":"no_hosts","at":1}\n{"event":"no_')).toEqual([{ event: 'no_hosts', at: 1 }])
})

test('another version of the events is an error, not a guess', async () => {
  await expect(read('{"event":"start","version":99,"ansible":"2.14"}\n')).rejects.toThrow(
    'The callback plugin speaks version 99 of its events, not 3',
  )
})
