import { filterOf } from './filters.ts'
import type { Model } from './models.ts'

/** One line of config.txt that applies: `dtparam=audio=on` is `{ name: 'dtparam', value: 'audio=on' }`. */
export interface Setting {
  name: string
  value: string
}

/** What config.txt says to one model. */
export interface Config {
  /** In the order of the file; a later one overrides an earlier one of its name unless they add up. */
  settings: Setting[]
  /** Lines that mean something else on a real Pi, and why. */
  notEmulated: string[]
}

/** What is behind it is ignored: https://www.raspberrypi.com/documentation/computers/config_txt.html#file-format */
const longestLine = 98

/**
 * Reads config.txt, and what it includes, as the firmware of `model` does. No config.txt is an empty one.
 * https://www.raspberrypi.com/documentation/computers/config_txt.html
 */
export async function readConfig(
  read: (path: string) => Promise<string | undefined>,
  model: Model,
): Promise<Config> {
  const config: Config = { settings: [], notEmulated: [] }
  const filters = new Map<string, boolean>()

  const readLines = async (path: string, text: string, includedBy: readonly string[]) => {
    for (const raw of text.split(/\r?\n/)) {
      const line = raw.slice(0, longestLine).trim()
      if (line === '' || line.startsWith('#')) continue
      if (raw.trimEnd().length > longestLine) {
        config.notEmulated.push(`${path}: the firmware reads ${longestLine} characters of the line ${line}`)
      }

      const filter = /^\[(.*)\]/.exec(line)?.[1]?.trim()
      if (filter?.toLowerCase() === 'all') {
        filters.clear()
        continue
      }
      if (filter !== undefined) {
        const { type, holds, note } = filterOf(filter, model)
        if (type) filters.set(type, holds)
        if (note) config.notEmulated.push(`[${filter}]: ${note}`)
        continue
      }
      if (![...filters.values()].every(Boolean)) continue

      const setting = settingOf(line)
      if (setting.name !== 'include') {
        config.settings.push(setting)
        continue
      }
      const file = setting.value
      const included = includedBy.includes(file) ? undefined : await read(file)
      if (included !== undefined) await readLines(file, included, [...includedBy, file])
      else config.notEmulated.push(`include ${file}: there is no such file, or it includes itself`)
    }
  }
  await readLines('config.txt', (await read('config.txt')) ?? '', ['config.txt'])
  return config
}

/** The last value of the setting `name`, which is the one that counts. */
export function lastOf({ settings }: Config, name: string): string | undefined {
  return settings.findLast((setting) => setting.name === name)?.value
}

/** `name=value`, or `name value` as `initramfs` and `include` have it; behind ` #` is a comment. */
function settingOf(line: string): Setting {
  const [, name = '', value = ''] = /^([^\s=]+)(?:\s*=\s*|\s+|$)(.*)$/.exec(line) ?? []
  return { name, value: value.replace(/(^|\s+)#.*$/, '') }
}
