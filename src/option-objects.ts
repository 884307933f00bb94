import { types } from 'node:util'
import * as z from 'zod'
import { RaspiError } from './errors.ts'

/** Objects of `shape` and nothing else. Where there is more, it is told with what there is, because most often it is a slip of the pen. */
export function optionObject<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code, keys = [] }) =>
      code === 'unrecognized_keys'
        ? `There is no ${(keys as string[]).join(', ')}: there are ${Object.keys(shape).join(', ')}`
        : undefined,
  })
}

/**
 * The options `given` to `what`, with their defaults. Throws a `RaspiError` that names each wrong option, with `hint`, where they
 * are not as `schema` says.
 */
export function checkOptions<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  given: unknown,
  hint?: string,
): z.output<Schema> {
  const { success, data, error } = schema.safeParse(given)
  if (success) return data
  throw new RaspiError('options', `The options of ${what} are wrong:\n${z.prettifyError(error)}`, {
    ...(hint !== undefined && { hint }),
  })
}

/** One text or several. */
export const texts = z.union([z.string(), z.array(z.string()).readonly()], {
  error: 'expected a text, or a list of texts',
})

/** Variables of Ansible, by their names. */
export const variables = z.looseObject({})

/** Environment variables; `undefined` takes one away. No record: `process.env`, which is no plain object, will do. */
export const environment = z.object({}).catchall(z.string().optional())

/** A function; nobody knows of which type before it is called. */
export const callback = <Type>() =>
  z.custom<Type>((given) => typeof given === 'function', { error: 'expected a function' })

/** Texts, and expressions that match some. */
export const patterns = z
  .array(
    z.union([z.string(), z.custom<RegExp>((given) => types.isRegExp(given))], {
      error: 'expected a text, or a regular expression',
    }),
  )
  .readonly()

/** How long a test may take, in ms: `Infinity` too. */
export const testTimeout = z.custom<number>((given) => typeof given === 'number' && given >= 0, {
  error: 'expected a number of milliseconds',
})
