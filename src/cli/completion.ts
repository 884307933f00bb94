import { Argument, type Command } from 'commander'
import { quote } from '../host/quote.ts'
import type { CommandContext } from './output.ts'

const examples = `
Examples:
  eval "$(vitest-raspi completion bash)"                       for this shell
  vitest-raspi completion bash >> ~/.bashrc                    for every one
  vitest-raspi completion zsh > ~/.zfunc/_vitest-raspi         for zsh, with ~/.zfunc in its fpath`

/** What a shell may complete after a command. */
interface Words {
  command: string
  description: string
  options: string[]
  /** Whether Pis are named there. */
  takesPis: boolean
}

/** Adds `completion`, which prints what a shell needs to complete our command lines. */
export function addCompletion(program: Command, { output }: CommandContext): void {
  program
    .command('completion')
    .description('print what a shell needs to complete commands, options and names of Pis')
    .addArgument(new Argument('<shell>', 'which one').choices(['bash', 'zsh']))
    .addHelpText('after', examples)
    .action((shell: string) => {
      const words = program.commands.map(wordsOf)
      output.out(shell === 'bash' ? forBash(words) : forZsh(words))
    })
}

/** Arguments that are called so are names of Pis that are up. */
const ofPis = new Set(['reset', 'down', 'ssh', 'console', 'logs', 'power', 'provision'])

function wordsOf(command: Command): Words {
  const options = command.options.flatMap(({ short, long }) =>
    [short, long].filter((name) => name !== undefined),
  )
  return {
    command: command.name(),
    description: command.description(),
    options: [...command.commands.map((each) => each.name()), ...options, '--help'],
    takesPis: ofPis.has(command.name()),
  }
}

function forBash(all: readonly Words[]): string {
  const cases = all.map(
    ({ command, options, takesPis }) =>
      `    ${command}) words=${quote(options.join(' '))}${takesPis ? '; [[ $current == -* ]] || words=$(vitest-raspi ls -q 2> /dev/null)' : ''} ;;`,
  )
  return `_vitest_raspi() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  if ((COMP_CWORD == 1)); then
    words=${quote([...all.map(({ command }) => command), '--help', '--version'].join(' '))}
  else
    case \${COMP_WORDS[1]} in
${cases.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _vitest_raspi vitest-raspi`
}

function forZsh(all: readonly Words[]): string {
  const commands = all.map(
    ({ command, description }) => `    ${quote(`${command}:${description.replaceAll(':', '\\:')}`)}`,
  )
  const cases = all.map(
    ({ command, options, takesPis }) =>
      `    ${command}) compadd -- ${options.join(' ')}${takesPis ? `; compadd -- \${(f)"$(vitest-raspi ls -q 2> /dev/null)"}` : ''}; _files ;;`,
  )
  return `#compdef vitest-raspi
_vitest_raspi() {
  local -a commands=(
${commands.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
}
# Read by \`eval\` it is defined for this shell; as a file of the fpath it is called itself.
if [[ $funcstack[1] == _vitest-raspi ]]; then _vitest_raspi "$@"; else compdef _vitest_raspi vitest-raspi; fi`
}
