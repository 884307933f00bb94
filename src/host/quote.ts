/** Quotes `text` as one word of a POSIX shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** A command line that a shell would take as it is, with quotes only where they are needed. */
export function commandLine(program: string, args: readonly string[]): string {
  return [program, ...args].map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : quote(arg))).join(' ')
}
