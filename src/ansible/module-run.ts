import type { TaskResult } from './events.ts'
import { AnsibleRun } from './run.ts'

/** A run of one module, with what it answered. */
export class ModuleRun extends AnsibleRun {
  /** The module's answer, of the first host where there are several: `(await ansible.module('setup')).result.ansible_facts`. */
  get result(): TaskResult {
    return this.tasks[0]?.result ?? {}
  }

  /** The answers by host. */
  get results(): Record<string, TaskResult> {
    return Object.fromEntries(this.tasks.map(({ host, result }) => [host, result]))
  }
}
