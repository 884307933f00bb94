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

function fromOrigin(error: string): AnsibleMessage | undefined {
  const match =
    /^([\s\S]*?)\nOrigin: (.+?):(\d+)(?::(\d+))?\n+((?:\s*\d+ .*\n|\s*\d+\n)*.*\^ column \d+)?/.exec(
      `${error}\n`,
    )
  if (!match) return
  const [, message = '', path = '', line, column, excerpt] = match
  return {
    message: oneLine(message),
    path,
    line: Number(line),
    ...(column ? { column: Number(column) } : {}),
    ...(excerpt ? { excerpt: excerpt.replace(/ column \d+$/, '') } : {}),
  }
}

// Of a YAML error only what libyaml says: Ansible puts before it that the file is no JSON either.
function oneLine(message: string): string {
  const yaml = /Syntax Error while loading YAML\.\s*(.*)/.exec(message)?.[1]
  return (yaml ?? message.replace(/^YAML parsing failed: /, '')).trim().replace(/\s*\n\s*/g, ' ')
}
