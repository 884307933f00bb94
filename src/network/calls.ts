import { RaspiError } from '../errors.ts'
import type { Capture, CaptureOptions, CaptureResult } from './capture.ts'
import type { FaultInput, FaultName } from './fault-options.ts'
import type { Fault } from './faults.ts'
import type { Frame, FrameFilter } from './frames.ts'
import type { Segment } from './segment.ts'
import type { PortStatistics } from './statistics.ts'

/** What can be asked of a segment from another process: everything goes by value, faults and captures by their numbers. */
export interface SegmentRequests {
  fault: { input: { [Name in FaultName]: [Name, FaultInput<Name>] }[FaultName]; output: number }
  undo: { input: number; output: undefined }
  capture: { input: CaptureOptions; output: number }
  stopCapture: { input: number; output: CaptureResult }
  saveRecent: { input: string; output: number }
  frames: { input: FrameFilter; output: Frame[] }
  statistics: { input: undefined; output: Record<string, PortStatistics> }
}

/** One request with its argument. */
export type SegmentRequest = {
  [Name in keyof SegmentRequests]: { ask: Name; input: SegmentRequests[Name]['input'] }
}[keyof SegmentRequests]

/** Does for a segment what is asked of it by requests. */
export class SegmentCalls {
  readonly #segment: Segment
  readonly #faults = new Map<number, Fault>()
  readonly #captures = new Map<number, Capture>()
  #made = 0

  constructor(segment: Segment) {
    this.#segment = segment
  }

  /** Does `request` and gives its answer. Throws the segment's `RaspiError` where it is wrong. */
  async answer(request: SegmentRequest): Promise<unknown> {
    const segment = this.#segment
    switch (request.ask) {
      case 'fault': {
        const [name, options] = request.input
        const number = ++this.#made
        this.#faults.set(number, segment[name](options as never))
        return number
      }
      case 'undo':
        this.#faults.get(request.input)?.()
        return void this.#faults.delete(request.input)
      case 'capture': {
        const number = ++this.#made
        this.#captures.set(number, segment.capture(request.input))
        return number
      }
      case 'stopCapture': {
        const capture = this.#captures.get(request.input)
        if (!capture) throw new RaspiError('lab', `The network ${segment.name} has no such capture.`)
        return capture.stop()
      }
      case 'saveRecent':
        return segment.saveRecent(request.input)
      case 'frames':
        return segment.frames(request.input)
      case 'statistics':
        return segment.statistics()
    }
  }
}
