import { inject } from 'vitest'
import { RaspiError } from '../errors.ts'
import type { ProvidedRaspi } from './provided.ts'

/** What the main process has told this worker. Throws a `RaspiError` where the project of its tests is without the plugin. */
export function injected<Key extends keyof ProvidedRaspi>(key: Key): ProvidedRaspi[Key] {
  const value: ProvidedRaspi[Key] | undefined = inject(key)
  if (value !== undefined) return value
  throw new RaspiError('options', "vitest-raspi's plugin is not in this project's configuration.", {
    hint: [
      'Add it in vitest.config.ts: plugins: [raspi()], with raspi from vitest-raspi/plugin.',
      'A project of `test.projects` has the plugins of the configuration around it only with `extends: true`.',
    ].join('\n'),
  })
}
