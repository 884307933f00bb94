import { stripVTControlCharacters } from 'node:util'
import { duration } from '../host/progress.ts'
import { shownPath } from '../host/shown-path.ts'
import type { FailureTask } from './meta.ts'

/**
 * A command of GitHub Actions that shows `task` at its line of the playbook, or nothing where the line is not known.
 * https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
 */
export function annotation(task: FailureTask, test: string, workspace: string): string | undefined {
  if (!task.path || !task.line) return undefined
  // GitHub shows only what is in the repository.
  const file = shownPath(task.path, workspace)
  const properties = { file, line: String(task.line), title: test }
  const escaped = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(value)}`)
  return `::error ${escaped.join(',')}::${escapeData(describe(task))}`
}

function describe({ what, title, host, durationMs, message, diff }: FailureTask): string {
  const on = host ? ` on ${host}` : ''
  const outcome = {
    failed: `failed${on} after ${duration(durationMs)}${message && `: ${message}`}`,
    'at work': `was still at work after ${duration(durationMs)}`,
    changed: `changed something${on}`,
  }
  return stripVTControlCharacters([`${title} ${outcome[what]}`, ...diff].join('\n'))
}

// As the runner reads it: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
const escapeData = (text: string) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const escapeProperty = (text: string) => escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
