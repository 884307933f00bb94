import { realpathSync } from 'node:fs'
import type { Project } from './project.ts'

/**
 * What of a run's `output` is the same in every run: without times, ports, numbers of Pis and the project's place, without
 * what is only said because something takes long, and without what the kernel says, but for its panic.
 */
export function shownOf(output: string, { dir, root }: Pick<Project, 'dir' | 'root'>): string {
  const places = [dir, realpathSync(dir), root].reduce(
    (text, place) => text.replaceAll(place, 'PROJECT'),
    output,
  )
  return (
    places
      .replace(/^.* … N?[\d. ]+ s.*\n/gm, '')
      .replace(/^ +\[ *\d+\.\d+\](?!.*Kernel panic).*\n|^\[ *\d+\.\d+\](?!.*Kernel panic).*\n/gm, '')
      .replace(/\[ *\d+\.\d+\]/g, '[N.N]')
      .replace(/ [^;]+ saved against booting \([^)]*\);/g, '')
      .replace(/; waited [^;]* for others at most/g, '')
      .replace(/^ +Slowest .*\n(^ {10,}.*\n)*/gm, '')
      .replace(/(\d{4}-\d\d-\d\d[T ])?\d+:\d\d:\d\d(\.\d+)?Z?/g, 'TIME')
      .replace(/\d+ min \d+ s|\b\d+(\.\d+)? ?m?s\b/g, 'N s')
      .replace(/ \([^()]*\b(tests|import) \d+%[^()]*\)/g, '')
      .replace(/\bpi-\d+/g, 'pi-N')
      .replace(/(127\.0\.0\.1(:| port ))\d+/g, '$1N')
      // What ssh finds depends on how far its connection had come.
      .replace(
        /(over ssh:)( kex_exchange_identification:.*?(peer|host))?((\r?\n|%0D%0A)Connection (reset|closed) by 127\.0\.0\.1 port N)?/g,
        '$1 …',
      )
      // Vitest copies them at the same time; of the journal there may be nothing.
      .replace(/(^ +↳ .*\n)+/gm, (lines) =>
        lines
          .split(/(?<=\n)/)
          .sort()
          .join(''),
      )
      .replace(/^ +↳ pi\.journal\.log\n/gm, '')
      // It says once more what is told above.
      .replace(/^(::error file=PROJECT\/.*?)::.*/gm, '$1::…')
      .replace(/\S*\/node_modules\//g, 'node_modules/')
      .replace(/(node_modules\/vitest\/dist\/chunks\/)\S+|(node:\S+?):[\d:]+/g, '$1$2')
      .trim()
  )
}
