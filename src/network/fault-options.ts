import * as z from 'zod'
import { RaspiError } from '../errors.ts'

const names = z.union([z.string(), z.array(z.string()).min(1)]).transform((given) => [given].flat())
const percent = z.number().min(0).max(100)
const way = {
  /** Only frames from these ports. @default all */
  from: names.optional(),
  /** Only frames to these ports. @default all */
  to: names.optional(),
}

const groupsSchema = z.array(z.array(z.string()).min(1)).min(1)

const lossSchema = z.strictObject({ /** How many of a hundred frames are lost. */ percent, ...way })

const duplicateSchema = z.strictObject({ /** How many of a hundred frames come twice. */ percent, ...way })

const delaySchema = z.strictObject({
  /** How much later frames come, in ms. */
  ms: z.number().nonnegative(),
  /** By how much `ms` varies, to both sides. @default 0 */
  jitterMs: z.number().nonnegative().default(0),
  ...way,
})

const rateSchema = z.strictObject({
  /** What the link carries each way, at least 1. */
  bytesPerSecond: z.number().min(1),
  /** The port whose link it is. @default each */
  port: z.string().optional(),
})

const schemas = {
  partition: groupsSchema,
  loss: lossSchema,
  duplicate: duplicateSchema,
  delay: delaySchema,
  rate: rateSchema,
  unplug: z.string(),
}

type Schemas = typeof schemas

/** The name of a fault, as the method of a segment is called. */
export type FaultName = keyof Schemas

/** What a fault takes. */
export type FaultInput<Name extends FaultName> = z.input<Schemas[Name]>

/** The same, checked and with its defaults. */
export type FaultOptions<Name extends FaultName> = z.output<Schemas[Name]>

/** Checks what a fault was given. Throws a `RaspiError` that names what is wrong, and the ports where one is unknown. */
export function faultOptions<Name extends FaultName>(
  name: Name,
  given: FaultInput<Name>,
  { segment, ports }: { segment: string; ports: string[] },
): FaultOptions<Name> {
  const { success, data, error } = schemas[name].safeParse(given)
  const where = `${name}() of the network ${segment}`
  if (!success) throw new RaspiError('options', `${where} was called wrongly:\n${z.prettifyError(error)}`)
  const named = namesIn(data)
  const unknown = named.find((each) => !ports.includes(each))
  if (unknown !== undefined) {
    throw new RaspiError('options', `${where} names ${unknown}, which has no port there.`, {
      hint: ports.length > 0 ? `Ports are: ${ports.join(', ')}.` : 'There are no ports yet.',
    })
  }
  const twice = name === 'partition' ? named.find((each, index) => named.indexOf(each) < index) : undefined
  if (twice !== undefined) {
    throw new RaspiError('options', `${where} names ${twice} twice: a port is on one side only.`)
  }
  return data as FaultOptions<Name>
}

function namesIn(data: FaultOptions<FaultName>): string[] {
  if (typeof data === 'string') return [data]
  if (Array.isArray(data)) return data.flat()
  if ('bytesPerSecond' in data) return data.port === undefined ? [] : [data.port]
  return [...(data.from ?? []), ...(data.to ?? [])]
}
