import type { Inputs } from './inputs.ts'
import type { LayerRecord } from './records.ts'

/** How many files a line names. */
const named = 3

/**
 * Why a layer has to be made, for a line like `prepare.yml: made again, because roles/web/tasks/main.yml changed`. `last`
 * is what it was made of the last time; `damage` tells what is wrong with the one that is there.
 */
export function reasonToMake(
  last: LayerRecord | undefined,
  now: LayerRecord,
  damage: string | undefined,
): string {
  if (damage) return `made again, because the one in the cache is damaged: ${damage}`
  if (!last) return 'made for the first time with these hosts and options'
  const why = [
    ...(String(last.parents) === String(now.parents) ? [] : ['the Pi that it starts from is another one']),
    ...(last.ansible === now.ansible ? [] : [`ansible-core is ${now.ansible} and no longer ${last.ansible}`]),
    ...(last.environment === now.environment ? [] : ['an ANSIBLE_… variable of the environment changed']),
    ...changes(last.inputs, now.inputs),
  ]
  return why.length > 0
    ? `made again, because ${why.join(', and ')}`
    : 'made again, because it is not in the cache any more'
}

/** What differs between two sets of inputs: `roles/web/tasks/main.yml changed`, at most three of them by name. */
export function changes(before: Inputs, after: Inputs): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const all = names.flatMap((name) => {
    if (before[name] === after[name]) return []
    if (name.endsWith('/')) return [`there is something else in ${name}`]
    if (before[name] === undefined || before[name] === 'missing') return [`${name} is new`]
    return after[name] === undefined || after[name] === 'missing' ? [`${name} is gone`] : [`${name} changed`]
  })
  const more = all.length - named
  return more > 0 ? [...all.slice(0, named), `${more} more`] : all
}
