import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { RaspiError } from '../errors.ts'
import { type AnsibleEvent, eventsVersion } from './events.ts'

/**
 * Reads the callback's events from `stream` and hands each to `onEvent` as it comes, until the stream ends. Throws a
 * `RaspiError` where the callback speaks another version than this module.
 */
export async function readEvents(stream: Readable, onEvent: (event: AnsibleEvent) => void): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    const event = parse(line)
    if (!event) continue
    if (event.event === 'start' && event.version !== eventsVersion) {
      throw new RaspiError(
        'ansible',
        `The callback plugin speaks version ${event.version} of its events, not ${eventsVersion}`,
        {
          hint: 'Install vitest-raspi again: its files are of different versions.',
        },
      )
    }
    onEvent(event)
  }
}

// A line may be cut off in the middle where Ansible was killed.
function parse(line: string): AnsibleEvent | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
