import { types } from 'node:util'
import { RaspiError } from '../errors.ts'

/** The error for an argument of a matcher that makes no sense. */
export function wrongArgument(matcher: string, why: string, hint: string): RaspiError {
  return new RaspiError('options', `${matcher} can't be used like this: ${why}`, { hint })
}

/** Throws a `RaspiError` where a matcher's options are none, or others than `known`: they would expect nothing, and pass. */
export function refuseUnknown(matcher: string, known: readonly string[], given: unknown): void {
  if (given === undefined) return
  const hint = `It knows ${known.join(', ')}.`
  if (typeof given !== 'object' || given === null || Array.isArray(given) || types.isRegExp(given))
    throw wrongArgument(matcher, `its options are an object, and not ${shown(given)}`, hint)
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined) throw wrongArgument(matcher, `it knows no option "${unknown}"`, hint)
}

/** Throws a `RaspiError` where a matcher that takes `most` arguments is `given` more: they would expect nothing, and pass. */
export function refuseMore(matcher: string, most: number, given: readonly unknown[]): void {
  const more = given.slice(most).find((argument) => argument !== undefined)
  if (more === undefined) return
  const takes = most === 0 ? 'no argument' : `${most} argument${most === 1 ? '' : 's'}`
  throw wrongArgument(matcher, `it does not take ${shown(more)}`, `It takes ${takes}.`)
}

/** Throws a `RaspiError` where one of `names` is neither a text nor an expression: it would match any, or none. */
export function refuseNameless(matcher: string, names: unknown): void {
  const hint = 'Give a text or a regular expression.'
  if (!Array.isArray(names)) throw wrongArgument(matcher, `${shown(names)} is no list of names`, hint)
  const odd = names.findIndex((name) => typeof name !== 'string' && !types.isRegExp(name))
  if (odd >= 0) throw wrongArgument(matcher, `${shown(names[odd])} is no name`, hint)
}

/** A value as a test would write it. */
function shown(value: unknown): string {
  return types.isRegExp(value) ? String(value) : (JSON.stringify(value) ?? String(value))
}
