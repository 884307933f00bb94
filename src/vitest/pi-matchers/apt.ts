import { piMatcher } from './pi-matcher.ts'
import { including, judgeNearest, list, matches, type Pattern, value } from './verdict.ts'

/** What `toHaveAptSource` may expect of a source of packages. */
export interface AptSourceExpectation {
  /** The suite: 'bookworm', 'bookworm-updates'. */
  suite?: string
  /** Components it has, such as 'main'; it may have others too. */
  components?: string[]
  /** The file of the key that must have signed it. */
  signedBy?: Pattern
  /** @default 'deb' */
  type?: 'deb' | 'deb-src'
}

interface AptSource {
  file: string
  type: string
  uri: string
  suite: string
  components: string[]
  signedBy?: string | undefined
}

export const toHaveAptSource = piMatcher('toHaveAptSource', {
  options: ['suite', 'components', 'signedBy', 'type'],
  queries: (_uri: Pattern, _expected: AptSourceExpectation = {}) => [
    // apt passes over files with other endings: sources.list(5).
    {
      kind: 'texts',
      patterns: [
        '/etc/apt/sources.list',
        '/etc/apt/sources.list.d/*.list',
        '/etc/apt/sources.list.d/*.sources',
      ],
    },
  ],
  judge: ([{ texts }], uri, { type = 'deb', ...expected }: AptSourceExpectation = {}) => {
    const all = Object.entries(texts).flatMap(([file, text]) =>
      file.endsWith('.sources') ? parseStanzas(file, text ?? '') : parseLines(file, text ?? ''),
    )
    const wanted = uri instanceof RegExp ? uri : withoutSlash(uri)
    const alike = all.filter((source) => source.type === type && matches(wanted, withoutSlash(source.uri)))
    const found = alike.map(describe).join('; ') || 'no such source'
    return judgeNearest(
      alike,
      { there: alike.length > 0, wanted: 'a source', found, none: 'no such source' },
      (source) => [
        value('suite', expected.suite, source.suite),
        including('components', expected.components, source.components),
        value('signed by', expected.signedBy, source.signedBy),
      ],
      alike.length === 1 ? [] : list('Sources', (alike.length ? alike : all).map(describe)),
    )
  },
})

const withoutSlash = (uri: string) => uri.replace(/\/+$/, '')
const describe = ({ type, uri, suite, components, file }: AptSource) =>
  `${[type, uri, suite, ...components].join(' ')} (${file})`

function parseLines(file: string, text: string): AptSource[] {
  const lines = text.matchAll(/^\s*(deb(?:-src)?)\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)([^#\n]*)/gm)
  return [...lines].map(([, type = '', options = '', uri = '', suite = '', components = '']) => ({
    file,
    type,
    uri,
    suite,
    components: words(components),
    signedBy: /signed-by=(\S+)/.exec(options)?.[1],
  }))
}

/** The deb822 form of sources.list(5): every combination of its types, URIs and suites is a source. */
function parseStanzas(file: string, text: string): AptSource[] {
  const stanzas = text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/)
  return stanzas.flatMap((stanza) => {
    const pairs = stanza.replace(/\n[ \t]+/g, ' ').matchAll(/^([\w-]+):[ \t]*(.*)$/gm)
    const fields = Object.fromEntries([...pairs].map(([, key = '', text]) => [key.toLowerCase(), text ?? '']))
    if (/^(no|false|off|0)$/i.test(fields.enabled?.trim() ?? '')) return []
    const signedBy = fields['signed-by']?.trim()
    const components = words(fields.components)
    return words(fields.types).flatMap((type) =>
      words(fields.uris).flatMap((uri) =>
        words(fields.suites).map((suite) => ({ file, type, uri, suite, components, signedBy })),
      ),
    )
  })
}

const words = (text = '') => text.split(/\s+/).filter(Boolean)
