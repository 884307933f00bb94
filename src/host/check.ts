/** What a thing may be needed for: to `run` tests, to `build` the image that they run on, for the Pis to have a `bmc`, or `dhcp`. */
export type Group = 'run' | 'build' | 'bmc' | 'dhcp'

/** Whether a thing is there. A `warning` keeps nothing from starting. */
type Status = 'ok' | 'missing' | 'too old' | 'warning'

/** What was found out about one thing that a host should have. */
export interface Check {
  /** What people call it: `ansible-playbook`. */
  name: string
  group: Group
  status: Status
  /** What was found, or what the thing is for where nothing was. */
  found: string
  /** What to do about it, as exactly as can be said. Only where something is to be done. */
  remedy?: string
  /** Packages of the host's package manager that bring it, where installing them may help. */
  packages?: readonly string[]
  /** Where the program or file is. */
  path?: string
  version?: string
}

/** Tells whether `check` keeps a run from starting. */
export function isLacking({ status }: Check): boolean {
  return status === 'missing' || status === 'too old'
}

/** How one part of a line is shown. */
export type Paint = (part: 'name' | 'remedy' | Status, text: string) => string

/** The doctor's line for `check`: status, name, what was found and what to do. */
export function checkLine({ status, name, found, remedy }: Check, paint: Paint = (_, text) => text): string {
  const line = `${paint(status, status.padEnd(7))}  ${paint('name', name.padEnd(22))}  ${found}`
  return remedy ? `${line} ${paint('remedy', `→ ${remedy}`)}` : line
}
