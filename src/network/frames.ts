import { isIPv4, isIPv6 } from 'node:net'
import * as z from 'zod'
import { RaspiError } from '../errors.ts'
import { type FrameContent, frameContent, frameProtocols } from './frame-summary.ts'
import { eachFrame, headBytes } from './framing.ts'
import { shortIpv6 } from './notation.ts'
import type { Passage } from './recent.ts'

/** A frame that has come into the switch of a segment. */
export interface Frame extends FrameContent {
  /** When it came in, in ms since 1970. */
  at: number
  /** The port that it came from. */
  from: string
  /**
   * The ports that it was sent on to: none for a frame that was lost, one twice for a frame that was duplicated. What a
   * delay holds back counts as sent.
   */
  to: string[]
}

const oneOrMore = <Value extends z.ZodType<string | number>>(value: Value) =>
  z
    .union([value, z.array(value).min(1)])
    .transform((given) => [given].flat() as z.output<Value>[])
    .optional()

const mac = z
  .string()
  .regex(/^[\da-f]{2}(:[\da-f]{2}){5}$/i, 'is no Ethernet address')
  .toLowerCase()
const ip = z
  .string()
  .refine((text) => isIPv4(text) || (isIPv6(text) && !text.includes('%')), 'is no IP address')
  .transform((text) => (isIPv6(text) ? shortIpv6(text) : text))
const transportPort = z.int().min(0).max(65_535)

/** What `frames()` of a segment selects; each is one value or a list of which one has to fit. */
export const frameFilterSchema = z.strictObject({
  /** Names of ports of the segment. */
  from: oneOrMore(z.string()),
  to: oneOrMore(z.string()),
  protocol: oneOrMore(z.enum(frameProtocols)),
  /** Ports of TCP, UDP or SCTP; `port` is either of both. */
  sourcePort: oneOrMore(transportPort),
  destinationPort: oneOrMore(transportPort),
  port: oneOrMore(transportPort),
  /** IPv4 or IPv6 addresses; `address` is either of both. */
  sourceAddress: oneOrMore(ip),
  destinationAddress: oneOrMore(ip),
  address: oneOrMore(ip),
  /** Ethernet addresses. */
  source: oneOrMore(mac),
  destination: oneOrMore(mac),
  etherType: oneOrMore(z.int().min(0).max(0xffff)),
  vlan: oneOrMore(z.int().min(0).max(4_095)),
  /** Only frames from then on, in ms since 1970; refused where not all of them are remembered any more. */
  since: z.number().optional(),
})

/** See {@link frameFilterSchema}. */
export type FrameFilter = z.input<typeof frameFilterSchema>

/** Checks a filter. Throws a `RaspiError` that names what is wrong with it. */
export function checkedFilter(filter: FrameFilter, segment: string): z.output<typeof frameFilterSchema> {
  const { success, data, error } = frameFilterSchema.safeParse(filter)
  if (success) return data
  throw new RaspiError(
    'options',
    `frames() of the network ${segment} was called wrongly:\n${z.prettifyError(error)}`,
  )
}

/** The frames among `passages` that fit `filter`, in their order. */
export function selectFrames(
  passages: Iterable<Passage>,
  { since, from, to, port, address, ...content }: z.output<typeof frameFilterSchema>,
): Frame[] {
  const wishes = Object.entries(content) as [keyof typeof content, (string | number)[] | undefined][]
  const selected: Frame[] = []
  for (const passage of passages) {
    if (since !== undefined && passage.at < since) continue
    if (from && !from.includes(passage.from)) continue
    if (to && !passage.to.some((name) => to.includes(name))) continue
    eachFrame(passage.run, (bytes, start, end) => {
      const frame = frameContent(bytes.subarray(start + headBytes, end))
      if (!wishes.every(([key, wish]) => fits(wish, frame[key]))) return
      if (!fits(port, frame.sourcePort, frame.destinationPort)) return
      if (!fits(address, frame.sourceAddress, frame.destinationAddress)) return
      selected.push({ at: passage.at, from: passage.from, to: [...passage.to], ...frame })
    })
  }
  return selected
}

function fits<Value>(wish: readonly Value[] | undefined, ...values: (Value | undefined)[]): boolean {
  return !wish || values.some((value) => value !== undefined && wish.includes(value))
}
