import { RaspiError } from '../errors.ts'

/** Of ansible-playbook's short options those that take no value: others may follow in the same argument, as in `-vkK`. */
const flags = 'bCDhJkKv'

const ownOptions: [RegExp, string][] = [
  [
    option('i', '--i.*'),
    'an inventory of its own would lead to other machines than the Pis: raspiTest({ inventory }) takes one',
  ],
  [option('l', '--lim.*'), 'the hosts are limited by the option `limit`'],
  // The password files of connections begin alike.
  [
    option('c', '--co[a-z]*(=.*)?'),
    'another connection would lead to other machines than the Pis, `local` to this one: a play or a task that is to run here says `connection: local` itself',
  ],
  [option('[kKJ]', '--ask.*'), 'a test has nobody to ask for a password'],
]

/** Throws a `RaspiError` where arguments of ansible-playbook would undo what keeps it with its Pis, or ask somebody. */
export function assertHarmless(args: readonly string[]): void {
  for (const arg of args) {
    const why = ownOptions.find(([pattern]) => pattern.test(arg))?.[1]
    if (why)
      throw new RaspiError('options', `The argument ${arg} cannot be given to ansible-playbook here: ${why}.`)
  }
}

/** Matches an option by its letter, behind flags too, or by its long name, which argparse lets people cut. */
function option(letter: string, long: string): RegExp {
  return new RegExp(`^(-[${flags}]*${letter}.*|${long})$`, 's')
}
