import { RaspiError } from '../errors.ts'

const ownOptions: [RegExp, string][] = [
  [
    /^(-i.*|--inv.*)$/,
    'an inventory of its own would lead to other machines than the Pis: raspiTest({ inventory }) takes one',
  ],
  [/^(-l.*|--lim.*)$/, 'the hosts are limited by the option `limit`'],
  [/^(-k|--ask-pass|-K|--ask-become-pass|-J|--ask-vault-pass.*)$/, 'a test has nobody to ask for a password'],
]

/** Throws a `RaspiError` where arguments of ansible-playbook would undo what keeps it with its Pis, or ask somebody. */
export function assertHarmless(args: readonly string[]): void {
  for (const arg of args) {
    const why = ownOptions.find(([pattern]) => pattern.test(arg))?.[1]
    if (why)
      throw new RaspiError('options', `The argument ${arg} cannot be given to ansible-playbook here: ${why}.`)
  }
}
