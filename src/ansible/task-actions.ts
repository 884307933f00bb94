import { RaspiError } from '../errors.ts'
import type { AnsibleEvent, TaskEvent } from './events.ts'

/** What is to be done when tasks begin, by their names: as they are written, or as Ansible shows them, `web : Install nginx`. */
export type TaskActions = Record<string, (task: TaskEvent) => unknown>

/** Does what is to be done when tasks begin, and keeps account of it. */
export class TaskActionsAtWork {
  readonly #actions: TaskActions
  readonly #seen: string[] = []
  readonly #work = new Map<string, Promise<unknown>>()
  readonly #onFailure: () => void

  /** `onFailure` is called as soon as an action throws. */
  constructor(actions: TaskActions, onFailure: () => void) {
    this.#actions = actions
    this.#onFailure = onFailure
  }

  /** Hears of an event. An action is done once, however many plays have a task of its name. */
  hear(event: AnsibleEvent): void {
    if (event.event !== 'task') return
    const shown = event.role ? `${event.role} : ${event.name}` : event.name
    this.#seen.push(shown)
    for (const name of new Set([event.name, shown])) {
      const action = this.#actions[name]
      if (!action || this.#work.has(name)) continue
      const work = (async () => action(event))()
      work.catch(this.#onFailure)
      this.#work.set(name, work)
    }
  }

  /** Waits for all that was begun. Throws what an action has thrown. */
  async done(): Promise<void> {
    await Promise.all(this.#work.values())
  }

  /** Throws a `RaspiError` where a task that something was to be done at has not begun. */
  assertAllBegan(): void {
    const missing = Object.keys(this.#actions).filter((name) => !this.#work.has(name))
    if (missing.length === 0) return
    const names = missing.map((name) => `“${name}”`).join(', ')
    throw new RaspiError('options', `onTask: no task called ${names} began in this run.`, {
      hint: `Tasks go by their names as Ansible shows them: ${[...new Set(this.#seen)].join(', ') || 'none began'}.`,
    })
  }
}
