import { stripVTControlCharacters } from 'node:util'

/** What Ansible says on stderr when it gives up, taken apart. */
export interface AnsibleMessage {
  /** One line, without the words that are always there. */
  message: string
  path?: string
  line?: number
  column?: number
  /** The lines of the file in question, with a mark below the column. */
  excerpt?: string
}

/**
 * Takes apart the last error in what ansible-playbook has written to stderr, in the form of ansible-core up to 2.18
 * (`ERROR! … The error appears to be in 'x': line 1, column 2 …`) or of later ones (`[ERROR]: … Origin: x:1:2 …`).
 */
export function parseError(stderr: string): AnsibleMessage | undefined {
  const text = stripVTControlCharacters(stderr)
  const start = Math.max(text.lastIndexOf('\nERROR! '), text.lastIndexOf('\n[ERROR]: '))
  const error = /^(?:ERROR!|\[ERROR\]:) ([\s\S]*)/.exec(start < 0 ? text : text.slice(start + 1))?.[1]
  if (!error) return
  return fromAppears(error) ?? fromOrigin(error) ?? { message: oneLine(error) }
}

/** The warnings and deprecations in what ansible-playbook has written to stderr, each in one line. */
export function parseWarnings(stderr: string): { warnings: string[]; deprecations: string[] } {
  const found: { label: string; lines: string[] }[] = []
  let open = false
  for (const line of stripVTControlCharacters(stderr).split('\n')) {
    const [, label, text] = /^\[(WARNING|DEPRECATION WARNING)\]: (.*)/.exec(line) ?? []
    if (label !== undefined && text !== undefined) found.push({ label, lines: [text] })
    // Ansible wraps them at the terminal's width; an empty line or another message ends them.
    else if (open && !/^($|\[|ERROR!)/.test(line)) found.at(-1)?.lines.push(line)
    else open = false
    if (label !== undefined) open = true
  }
  const withLabel = (wanted: string) =>
    found.filter(({ label }) => label === wanted).map(({ lines }) => oneLine(lines.join('\n')))
  return { warnings: withLabel('WARNING'), deprecations: withLabel('DEPRECATION WARNING') }
}

/**
 * What is said besides in the warnings that `wanted` is in, a line each: since ansible-core 2.19 a warning of an exception
 * is followed by paragraphs, among them the output of an inventory script.
 */
export function detailsOfWarnings(stderr: string, wanted: RegExp): string[] {
  const blocks = stripVTControlCharacters(stderr).split(/^(?=\[[A-Z ]+\]: )/m)
  const details = blocks
    .filter((block) => wanted.test(block))
    .flatMap((block) => block.split(/\n{2,}/).slice(1))
    // The same as in the warning's first line, cause by cause.
    .filter((text) => text.trim() && !wanted.test(text) && !/^<<< caused by >>>|^Origin: /m.test(text))
  return details.flatMap((text) => text.trim().split('\n'))
}

function fromAppears(error: string): AnsibleMessage | undefined {
  const match =
    /^([\s\S]*?)\s*The error appears to (?:be|have been) in '(.+?)': line (\d+), column (\d+)/.exec(error)
  if (!match) return
  const [, message = '', path = '', line, column] = match
  const excerpt = /The offending line appears to be:\s*\n([\s\S]*?\^ here)/.exec(error)?.[1]
  return {
    message: oneLine(message),
    path,
    line: Number(line),
    column: Number(column),
    ...(excerpt ? { excerpt: excerpt.replace(/^\n+/, '').replace(/ here$/, '') } : {}),
  }
}

// Of a whole file, as a vault, there is no line; of what comes from a plugin or is unknown, only a word in angle brackets.
function fromOrigin(error: string): AnsibleMessage | undefined {
  const match =
    /^([\s\S]*?)\nOrigin: (.+?)(?::(\d+)(?::(\d+))?)?\n+((?:\s*\d+ .*\n|\s*\d+\n)*.*\^ column \d+)?/.exec(
      `${error}\n`,
    )
  if (!match) return
  const [, message = '', path = '', line, column, excerpt] = match
  if (path.startsWith('<')) return { message: oneLine(message) }
  return {
    message: oneLine(message),
    path,
    ...(line ? { line: Number(line) } : {}),
    ...(column ? { column: Number(column) } : {}),
    ...(excerpt ? { excerpt: excerpt.replace(/ column \d+$/, '') } : {}),
  }
}

// Of a YAML error only what libyaml says: Ansible puts before it that the file is no JSON either.
function oneLine(message: string): string {
  const yaml = /Syntax Error while loading YAML\.\s*(.*)/.exec(message)?.[1]
  return (yaml ?? message.replace(/^YAML parsing failed: /, '')).trim().replace(/\s*\n\s*/g, ' ')
}
