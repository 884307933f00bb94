import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AnsibleEvent } from './events.ts'
import type { Play } from './plays.ts'

/** What no playbook looks for beside itself. */
const left = new Set(['.git', 'node_modules'])

/**
 * A directory that stands in for the project's, with a playbook of ours in it. Ansible looks for roles, templates,
 * files, variables and plugins beside the playbook, and nothing may be written into the user's repository: so this one
 * has a link to each of the project's entries.
 */
export class StandIn {
  readonly #projectDir: string
  readonly #dir: string
  /** The playbook's path. */
  readonly playbook: string

  /** Makes it below `parent`. */
  constructor(projectDir: string, parent: string, play: Play) {
    this.#projectDir = projectDir
    this.#dir = join(parent, 'project')
    mkdirSync(this.#dir, { mode: 0o700 })
    for (const name of readdirSync(projectDir)) {
      if (!left.has(name)) symlinkSync(join(projectDir, name), join(this.#dir, name))
    }
    this.playbook = join(this.#dir, '.vitest-raspi.json')
    // Its variables may be secret.
    writeFileSync(this.playbook, JSON.stringify([play]), { mode: 0o600 })
  }

  /** The event with the places that a user knows: the project's, and none where the place is our playbook. */
  translate(event: AnsibleEvent): AnsibleEvent {
    if (!('path' in event) || event.path === null) return event
    if (event.path === this.playbook) return { ...event, path: null, line: null }
    return { ...event, path: this.inProject(event.path) }
  }

  /** `text` with the project's path in the place of this directory's. */
  inProject(text: string): string {
    return text.replaceAll(this.#dir, this.#projectDir)
  }
}
